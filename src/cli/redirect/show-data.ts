import type { PathProblem } from '../../domain/health.ts';
import { hexWords } from '../../domain/hex.ts';
import { encodeInteger } from '../../domain/integer.ts';
import { netnsLabel } from '../../domain/ledger/scene.ts';
import type { LiveProgram, LiveSystem } from '../../domain/live-system.ts';
import type { ObservedEntry, ObservedMap } from '../../domain/observed-path.ts';
import { codesOf, type Examination, type ExaminedPath, problemsAt } from './examine.ts';

interface Health {
  readonly ok: boolean;
  readonly problems: readonly PathProblem['code'][];
}

/** The paths as -j shows them. */
export function showData({ examined, system }: Examination): object[] {
  return examined.map((each) => pathData(each, system));
}

function pathData(examined: ExaminedPath, system: LiveSystem): object {
  const { path, problems } = examined;
  const { device, mode, program, link, components, maps } = path;
  return {
    ifname: device.ifname,
    ifindex: device.ifindex,
    mode,
    prog: programData(program),
    ...(components.length > 0 && { components: components.map(programData) }),
    ...(link !== undefined && { link_id: link.id }),
    health: health(problems),
    maps: maps.map((map) => mapData(examined, map, system)),
  };
}

function programData({ id, name, tag }: LiveProgram): object {
  return { id, name: name ?? '', tag: tag ?? '' };
}

function mapData(examined: ExaminedPath, observed: ObservedMap, system: LiveSystem): object {
  const { map, entries } = observed;
  return {
    id: map.id,
    name: map.name ?? '',
    type: map.type,
    max_entries: map.maxEntries,
    ...(entries !== undefined && { used: entries.length }),
    pinned: map.pinned,
    entries: (entries ?? []).map((entry) => ({
      key: hexWords(encodeInteger(entry.entry.key, 4)),
      formatted: { key: entry.entry.key, value: valueData(entry, system) },
      health: health(problemsAt(examined, observed, entry.entry)),
    })),
  };
}

function health(problems: readonly PathProblem[]): Health {
  return { ok: problems.length === 0, problems: codesOf(problems) };
}

function valueData({ entry, target }: ObservedEntry, { programs, devices }: LiveSystem): object {
  const { ifindex, qsize, progId, socket } = entry;
  if (socket !== undefined) {
    const { queue, state, zeroCopy, netns, inode, pid, comm } = socket;
    const bound = state === 'bound';
    const device = devices.find((one) => one.ifindex === socket.ifindex && one.netns.inode === netns);
    return {
      ...((bound || state === undefined) && { queue }),
      ...(state !== undefined && { state }),
      ...(bound && { mode: zeroCopy === true ? 'zerocopy' : 'copy', ifindex: socket.ifindex }),
      ...(bound && device?.netns.current === true && { ifname: device.ifname }),
      ...(netns !== undefined && { netns }),
      ...(inode !== undefined && inode !== 0 && { inode }),
      ...(pid !== undefined && { pid, comm }),
    };
  }
  const netns = netnsLabel(target?.netns);
  const name = progId === undefined ? undefined : programs.get(progId)?.name;
  return {
    ...(qsize !== undefined && { qsize }),
    ...(ifindex !== undefined && { ifindex }),
    ...(target !== undefined && { ifname: target.ifname }),
    ...(netns !== undefined && { netns }),
    ...(progId !== undefined && { prog: { id: progId, ...(name !== undefined && { name }) } }),
  };
}
