import { encodeCpumapValue } from '../domain/cpumap.ts';
import { decodeDevmapValue, encodeDevmapValue } from '../domain/devmap.ts';
import { ToolError } from '../domain/errors.ts';
import { decodeInteger, encodeInteger } from '../domain/integer.ts';
import type { CpuEntry, DeviceEntry } from '../domain/redirect-path.ts';
import { entryChunks } from './map-entries.ts';
import { BPF_ANY, type BpfMap } from './map.ts';

/**
 * Writes an entry of a map of targets.
 *
 * @param programFd descriptor of the program in it; 0 for none
 * @throws KernelRefusal `map update`
 */
export function writeEntry(map: BpfMap, entry: DeviceEntry | CpuEntry, programFd: number): void {
  const { keySize, valueSize } = map.info;
  const value =
    'qsize' in entry
      ? encodeCpumapValue({ qsize: entry.qsize, prog: programFd }, valueSize)
      : encodeDevmapValue({ ifindex: entry.ifindex, prog: programFd }, valueSize);
  map.update(encodeInteger(entry.key, keySize), value, BPF_ANY);
}

/**
 * Reads an entry back that was written.
 *
 * @throws ToolError not-found when it is no longer there: its device has gone meanwhile
 */
export function checkEntry(map: BpfMap, entry: DeviceEntry | CpuEntry): void {
  const value = new Uint8Array(map.valueLength);
  const there = map.lookup(encodeInteger(entry.key, map.info.keySize), value);
  if (there && ('qsize' in entry || decodeDevmapValue(value).ifindex === entry.ifindex)) return;
  throw new ToolError(
    'not-found',
    'qsize' in entry
      ? `CPU ${entry.key} has left the map meanwhile`
      : `the interface ${entry.ifname} has gone meanwhile`,
  );
}

/**
 * The entries of a map of targets that are occupied. The value is valid until the next one is asked for.
 *
 * @throws KernelRefusal `map lookup`, `map getnext`: an entry that cannot be read is not taken for one that is not there
 */
export function* occupiedEntries(map: BpfMap): Generator<{ readonly key: number; readonly value: Uint8Array }> {
  const { keySize } = map.info;
  for (const { keys, values, count } of entryChunks(map)) {
    for (let index = 0; index < count; index += 1) {
      yield {
        key: Number(decodeInteger(keys.subarray(index * keySize, (index + 1) * keySize))),
        value: values.subarray(index * map.valueLength, (index + 1) * map.valueLength),
      };
    }
  }
}
