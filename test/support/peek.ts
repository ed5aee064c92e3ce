import { BpfMap } from '../../src/kernel/map.ts';
import { openPin } from '../../src/kernel/pin.ts';

/**
 * The first four bytes of an entry, as an integer; undefined when there is none. For tests that wait for another process to
 * write it, and must not take longer to look than that takes.
 *
 * @param path of a map whose keys are integers of 4 bytes
 */
export function peekEntry(path: string, key: number): number | undefined {
  using map = new BpfMap(openPin(path).fd);
  const value = new Uint8Array(map.valueLength);
  if (!map.lookup(new Uint8Array(Uint32Array.of(key).buffer), value)) return undefined;
  return new Uint32Array(value.buffer, 0, 1)[0];
}
