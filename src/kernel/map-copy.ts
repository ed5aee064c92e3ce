import { decodeDevmapValue, encodePair } from '../domain/devmap.ts';
import { encodeInteger } from '../domain/integer.ts';
import { BPF_F_RDONLY_PROG } from '../domain/map-flags.ts';
import { BPF_ANY, BpfMap } from './map.ts';
import { occupiedEntries } from './path-entries.ts';
import { BpfProgram } from './program.ts';

/**
 * A map of the same kind with the same entries, which keeps the programs in them alive.
 *
 * @param map a devmap, devmap_hash or cpumap
 * @throws KernelRefusal `map create`, `map lookup`, `map update`, `prog get by id`
 */
export function cloneTargets(map: BpfMap): BpfMap {
  const { type, keySize, valueSize, maxEntries, flags } = map.info;
  const clone = BpfMap.create({
    type,
    name: 'xdpctl_before',
    keySize,
    valueSize,
    maxEntries,
    // The kernel sets this one itself and refuses it from us (dev_map_alloc_check, kernel/bpf/devmap.c).
    flags: flags & ~BPF_F_RDONLY_PROG,
  });
  try {
    copyTargets(map, clone);
    return clone;
  } catch (error) {
    clone[Symbol.dispose]();
    throw error;
  }
}

/**
 * Makes the entries of a map those of another of its kind. Each is written in one step; those that are equal already are
 * left alone.
 *
 * @throws KernelRefusal `map lookup`, `map update`, `map delete`, `prog get by id`
 */
export function copyTargets(from: BpfMap, to: BpfMap): void {
  const [wanted, there] = [entriesOf(from), entriesOf(to)];
  for (const [key, value] of wanted) {
    if (there.get(key) !== value) write(to, encodeInteger(key, 4), Buffer.from(value, 'hex'));
  }
  for (const key of there.keys()) if (!wanted.has(key)) to.delete(encodeInteger(key, 4));
}

/** What is read is the id of a program, what is written its descriptor. */
function write(map: BpfMap, key: Uint8Array, value: Uint8Array): void {
  const { ifindex: first, prog } = decodeDevmapValue(value);
  using program = prog === 0 ? undefined : BpfProgram.byId(prog);
  map.update(key, encodePair(first, program?.fd ?? 0, value.length), BPF_ANY);
}

/** Values in hexadecimal, by key. */
function entriesOf(map: BpfMap): ReadonlyMap<number, string> {
  return new Map(Array.from(occupiedEntries(map), ({ key, value }) => [key, Buffer.from(value).toString('hex')]));
}
