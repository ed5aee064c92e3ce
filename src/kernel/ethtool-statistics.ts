import { littleEndian } from '../domain/byte-order.ts';
import { bytesOfText } from '../domain/byte-text.ts';
import { libc } from '../ffi/libc.ts';
import { addressOf } from '../ffi/memory.ts';
import { cString } from './map-info.ts';

/** linux/ethtool.h. */
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GSTRINGS = 0x1b;
const ETHTOOL_GSTATS = 0x1d;
const ETHTOOL_GSSET_INFO = 0x37;
const ETH_SS_STATS = 1;
const ETH_GSTRING_LEN = 32;
/** linux/if.h. */
const IFREQ_SIZE = 40;
const IFNAMSIZ = 16;

/**
 * The driver's own counters of a device (`ethtool -S`), by name; empty where it has none.
 *
 * @param socket any socket of the device's network namespace
 */
export function readStatistics(socket: number, ifname: string): ReadonlyMap<string, number> {
  const count = countStatistics(socket, ifname);
  if (count === 0) return new Map();
  // struct ethtool_gstrings { cmd, string_set, len, data[] }, struct ethtool_stats { cmd, n_stats, u64 data[] }.
  const names = ask(socket, ifname, [ETHTOOL_GSTRINGS, ETH_SS_STATS, count], 12 + count * ETH_GSTRING_LEN);
  const values = ask(socket, ifname, [ETHTOOL_GSTATS, count], 8 + count * 8);
  if (names === undefined || values === undefined) return new Map();
  const view = new DataView(values.buffer);
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const at = 12 + index * ETH_GSTRING_LEN;
      return [
        cString(names.subarray(at, at + ETH_GSTRING_LEN)),
        Number(view.getBigUint64(8 + index * 8, littleEndian)),
      ] as const;
    }),
  );
}

/** struct ethtool_sset_info { cmd, reserved, u64 sset_mask, u32 data[] }. */
function countStatistics(socket: number, ifname: string): number {
  const answer = ask(socket, ifname, [ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_STATS, 0], 20);
  if (answer === undefined) return 0;
  const view = new DataView(answer.buffer);
  return view.getBigUint64(8, littleEndian) === 0n ? 0 : view.getUint32(16, littleEndian);
}

function ask(socket: number, ifname: string, words: readonly number[], size: number): Uint8Array | undefined {
  // Small buffers lie within V8's heap and may be moved.
  const answer = new Uint8Array(Math.max(size, 128));
  const view = new DataView(answer.buffer);
  words.forEach((word, index) => {
    view.setUint32(4 * index, word, littleEndian);
  });
  const request = new Uint8Array(IFREQ_SIZE);
  const name = bytesOfText(ifname);
  if (name.length >= IFNAMSIZ) return undefined;
  request.set(name);
  new DataView(request.buffer).setBigUint64(IFNAMSIZ, addressOf(answer), littleEndian);
  return libc.ioctl(socket, SIOCETHTOOL, request) === 0 ? answer : undefined;
}
