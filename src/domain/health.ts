import { cpumapProblems } from './health/cpumap.ts';
import { devmapProblems } from './health/devmap.ts';
import { ingressProblems } from './health/ingress.ts';
import { modeProblems } from './health/mode.ts';
import type { PathProblem } from './health/problem.ts';
import { xskmapProblems } from './health/xskmap.ts';
import type { LiveSystem } from './live-system.ts';
import type { ObservedMap, ObservedPath } from './observed-path.ts';

export type { PathProblem };

/**
 * Why frames of a path are lost, or will be, as far as a snapshot of the system tells: what is wrong at its beginning
 * first, then map by map.
 *
 * @param others all paths of the network namespace
 */
export function pathProblems(
  path: ObservedPath,
  system: LiveSystem,
  others: readonly ObservedPath[],
): readonly PathProblem[] {
  return [
    ...ingressProblems(path),
    ...modeProblems(path, system, others),
    ...path.maps.flatMap((map) => mapProblems(path, map, system)),
  ];
}

function mapProblems(path: ObservedPath, observed: ObservedMap, system: LiveSystem): readonly PathProblem[] {
  switch (observed.map.type) {
    case 'cpumap':
      return cpumapProblems(path, observed, system);
    case 'xskmap':
      return xskmapProblems(path, observed, system);
    default:
      return devmapProblems(path, observed, system);
  }
}
