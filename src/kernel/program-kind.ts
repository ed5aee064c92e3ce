import { littleEndian } from '../domain/byte-order.ts';
import { mapTypeNumber } from '../domain/map-type.ts';
import { check, EINVAL, ENOMEM } from './check.ts';
import { BPF_ANY, BpfMap } from './map.ts';

/** Every network namespace has its loopback interface at 1 (LOOPBACK_IFINDEX, include/net/flow.h). */
const LOOPBACK = 1;
/** A queue of one frame. */
const QSIZE = 1;

/**
 * Whether a program was loaded for entries of a devmap (`xdp/devmap`) or a cpumap (`xdp/cpumap`). The kernel tells nobody
 * what a program was loaded for, so it is put into a map made for the purpose: the first program that a map meets decides
 * for good what other programs it goes with, so that must not be somebody else's map.
 *
 * @param program its descriptor
 * @throws KernelRefusal `map create`, or `map update` for another reason than the kind
 */
export function isEntryProgram(program: number, kind: 'devmap' | 'cpumap'): boolean {
  using map = BpfMap.create({
    type: mapTypeNumber(kind) ?? 0,
    name: 'xdpctl_scratch',
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    flags: 0,
  });
  const value = new Uint8Array(8);
  const view = new DataView(value.buffer);
  view.setUint32(0, kind === 'devmap' ? LOOPBACK : QSIZE, littleEndian);
  view.setUint32(4, program, littleEndian);
  const result = map.tryUpdate(new Uint8Array(4), value, BPF_ANY);
  if (result === -EINVAL || (result === -ENOMEM && kind === 'cpumap' && refusesForTheProgram(map, value))) return false;
  check(result, 'map update', map.facts());
  return true;
}

/**
 * A cpumap says ENOMEM of a program of the wrong kind (__cpu_map_entry_alloc, kernel/bpf/cpumap.c), but also when there is no
 * memory: then not each time, or without the program too.
 */
function refusesForTheProgram(map: BpfMap, value: Uint8Array): boolean {
  const key = new Uint8Array(4);
  if (map.tryUpdate(key, value, BPF_ANY) !== -ENOMEM) return false;
  return map.tryUpdate(key, Uint8Array.of(...value.subarray(0, 4), 0, 0, 0, 0), BPF_ANY) === 0;
}
