import type { HealthCode } from '../../domain/check-catalogue.ts';
import type { Certainty, FindingDevice, FindingMap, FindingProgram } from '../../domain/finding.ts';
import { netnsLabel } from '../../domain/ledger/scene.ts';
import type { LiveDevice, LiveSystem } from '../../domain/live-system.ts';
import type { ExaminedPath } from './examine.ts';

/** Something wrong with a path, in the words of `debug drops` as far as they fit. */
export interface ProblemData {
  readonly code: HealthCode;
  readonly certainty: Certainty;
  readonly from: FindingDevice;
  readonly to?: FindingDevice;
  readonly prog: FindingProgram;
  readonly map?: FindingMap;
  readonly key?: number;
  readonly explanation: string;
  readonly fix?: string;
}

/** What is wrong with a path, as -j shows it. */
export function problemData({ path, problems }: ExaminedPath, { maps, programs }: LiveSystem): ProblemData[] {
  return problems.map(({ code, certainty, sentence, fix, mapId, key, to, progId }) => {
    const map = mapId === undefined ? undefined : maps.get(mapId);
    const program = (progId === undefined ? undefined : programs.get(progId)) ?? path.program;
    return {
      code,
      certainty,
      from: deviceData(path.device),
      ...(to !== undefined && { to: deviceData(to) }),
      prog: { id: program.id, ...(program.name !== undefined && { name: program.name }) },
      ...(map !== undefined && {
        map: {
          id: map.id,
          ...(map.name !== undefined && { name: map.name }),
          ...(map.pinned.length > 0 && { pinned: map.pinned }),
        },
      }),
      ...(key !== undefined && { key }),
      explanation: sentence,
      ...(fix !== undefined && { fix }),
    };
  });
}

function deviceData({ ifindex, ifname, netns }: LiveDevice): FindingDevice {
  const label = netnsLabel(netns);
  return { ifindex, ifname, ...(label !== undefined && { netns: label }) };
}
