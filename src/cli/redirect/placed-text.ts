import { entriesOf, pathText } from '../../domain/redirect-path.ts';
import type { PlacedPath } from '../../kernel/path-change.ts';
import type { One } from '../../output/outcome.ts';

/** A path that was put in place, as -j shows it. */
export function placedData({ path, program, linkId, maps }: PlacedPath): object {
  const { device, mode, targets } = path;
  return {
    ifname: device.ifname,
    ifindex: device.ifindex,
    mode,
    prog: program,
    ...(linkId !== undefined && { link_id: linkId }),
    maps,
    ...(targets.kind === 'devices' && { targets: targets.entries.map(({ ifname }) => ifname) }),
    ...(targets.kind === 'cpus' && { cpus: entriesOf(path).map(({ key }) => key) }),
  };
}

/** The same for people. */
export function placedLines({ path, program, linkId, maps }: PlacedPath): One['lines'] {
  return [
    ['redirects', pathText(path)],
    ['mode', path.mode],
    ['program', `${program.name} (${program.id})`],
    ...(linkId === undefined ? [] : [['link', String(linkId)] as const]),
    ...maps.map(({ pinned }) => ['map', pinned] as const),
  ];
}
