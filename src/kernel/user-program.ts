import { ToolError, usageError } from '../domain/errors.ts';
import type { Targets } from '../domain/redirect-path.ts';
import { exists } from './access.ts';
import type { BpfMap } from './map.ts';
import { type BpfProgram, readProgramMapIds } from './program.ts';
import { pinName, UserObject, type UserObjectMap } from './user-object.ts';

/** A program of the user's, from a file of BPF programs, with the maps of that file. */
export interface UserProgram extends Disposable {
  readonly program: BpfProgram;
  /** By the names in its source. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** The one of them that it redirects through; undefined where it has none, or several. */
  readonly targets: BpfMap | undefined;
  /** Where the file says that maps are to be pinned (LIBBPF_PIN_BY_NAME), and nothing is yet; by the maps' names. */
  readonly declaredPins: ReadonlyMap<string, string>;
}

/**
 * Loads one program of a file with all maps of that file.
 *
 * @param wanted what kind of targets the map that it redirects through must take
 * @param foreign a map that takes the place of the file's only one of its type
 * @throws KernelRefusal `object …`; ToolError not-found, or usage when it is not clear which map is meant
 */
export function loadUserProgram(
  { file, name }: { readonly file: string; readonly name: string },
  wanted: Targets['kind'],
  foreign: BpfMap | undefined,
): UserProgram {
  using object = UserObject.open(file);
  const program = object.program(name);
  if (program === undefined) {
    throw new ToolError('not-found', `${file} has no program '${name}'`, {
      hint: `it has: ${object.programs.map((each) => each.name).join(', ')}`,
    });
  }
  for (const other of object.programs) other.setAutoload(other === program);
  const replaced = foreign && theOnlyMap(object, foreign);
  if (foreign !== undefined) replaced?.reuse(foreign);
  const declaredPins = new Map<string, string>();
  for (const map of object.maps) {
    if (map.pinPath === undefined || exists(map.pinPath)) continue;
    // Pinned when all the rest is in place; one that others have made, not at all.
    map.leaveUnpinned();
    if (map !== replaced) declaredPins.set(pinName(map.name, file), map.pinPath);
  }
  object.reusePinned();
  object.load();
  const opened: Disposable[] = [];
  try {
    const loaded = program.openProgram();
    opened.push(loaded);
    const maps = new Map<string, BpfMap>();
    for (const map of object.maps) {
      // Data sections (`.rodata`) cannot be pinned: the kernel allows no dot in the name of a pin.
      if (map.name.startsWith('.')) continue;
      const made = map.openMap();
      opened.push(made);
      maps.set(pinName(map.name, file), made);
    }
    const targets = replaced === undefined ? redirectMap(loaded, maps, wanted) : maps.get(replaced.name);
    if (wanted === 'devices' || wanted === 'cpus') {
      const [filled] = [...maps].find(([, map]) => map === targets) ?? [];
      refuseShared(
        object.maps.find((map) => map.name === filled),
        object.path,
        declaredPins,
      );
    }
    return {
      program: loaded,
      maps,
      targets,
      declaredPins,
      [Symbol.dispose]() {
        for (const part of opened) part[Symbol.dispose]();
      },
    };
  } catch (error) {
    for (const part of opened) part[Symbol.dispose]();
    throw error;
  }
}

/**
 * A map that is pinned already, where the file wants it, may be in use: writing to it is not to be a part of attaching.
 *
 * @throws ToolError conflict
 */
function refuseShared(map: UserObjectMap | undefined, file: string, declaredPins: ReadonlyMap<string, string>): void {
  const pin = map?.pinPath;
  if (map === undefined || pin === undefined || declaredPins.has(map.name)) return;
  throw new ToolError(
    'conflict',
    `the map '${map.name}' of ${file} is pinned at ${pin} already, and others may use it: no targets are written to it`,
    {
      hint: ({ own }) =>
        `attach without targets, and fill it by: ${own(['map', 'update', 'pinned', pin, 'key', 'KEY', 'value', 'VALUE'])}`,
    },
  );
}

/** The map of a file that an existing map takes the place of. @throws ToolError usage unless there is exactly one */
function theOnlyMap(object: UserObject, { info }: BpfMap): UserObjectMap {
  const candidates = object.maps.filter(({ type }) => type === info.type);
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  const kind = info.typeName ?? `map of type ${info.type}`;
  throw usageError(
    only === undefined
      ? `${object.path} has no ${kind} that map ${info.id} could take the place of`
      : `${object.path} has several maps of type ${kind}: ${candidates.map(({ name }) => name).join(', ')}`,
  );
}

/** The types of map that take such targets. */
const targetMapTypes: Readonly<Record<Targets['kind'], readonly string[]>> = {
  devices: ['devmap', 'devmap_hash'],
  cpus: ['cpumap'],
  sockets: ['xskmap'],
  map: [],
  'own-maps': ['devmap', 'devmap_hash', 'cpumap', 'xskmap'],
};

function redirectMap(
  program: BpfProgram,
  maps: ReadonlyMap<string, BpfMap>,
  wanted: Targets['kind'],
): BpfMap | undefined {
  const used = new Set(readProgramMapIds(program.fd));
  const types = targetMapTypes[wanted];
  const candidates = [...maps].filter(([, { info }]) => used.has(info.id) && types.includes(info.typeName ?? ''));
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only[1];
  if (wanted === 'own-maps') return undefined;
  throw usageError(
    only === undefined
      ? `program '${program.info.name}' uses no map that takes such targets (${types.join(', ')})`
      : `program '${program.info.name}' uses several maps that take such targets: ${candidates.map(([name]) => name).join(', ')}`,
    'attach it without targets, and fill its maps with map update',
  );
}
