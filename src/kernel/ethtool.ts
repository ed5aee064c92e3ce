import { littleEndian } from '../domain/byte-order.ts';
import { bytesOfText } from '../domain/byte-text.ts';
import { decodeString } from '../domain/netlink-message.ts';
import { libc } from '../ffi/libc.ts';
import { addressOf } from '../ffi/memory.ts';

/*
 * What drivers tell of their devices by ioctl (linux/ethtool.h). Each call is for a device of the namespace that the
 * socket was opened in; any socket will do. What a driver does not answer is undefined.
 */

const SIOCETHTOOL = 0x8946;
const ETHTOOL_GDRVINFO = 0x03;
const ETHTOOL_GTXCSUM = 0x16;
const ETHTOOL_GGRO = 0x2b;
const ETHTOOL_GCHANNELS = 0x3c;
const ETHTOOL_GSTRINGS = 0x1b;
const ETHTOOL_GSTATS = 0x1d;
const ETHTOOL_GSSET_INFO = 0x37;

/** The set of strings that names the statistics (enum ethtool_stringset), and the length of each. */
const ETH_SS_STATS = 1;
const ETH_GSTRING_LEN = 32;

/** sizeof(struct ifreq) and its parts (linux/if.h). */
const IFREQ_SIZE = 40;
const IFNAMSIZ = 16;
/** sizeof(struct ethtool_drvinfo), ethtool_channels, ethtool_value. */
const DRVINFO_SIZE = 196;
const CHANNELS_SIZE = 36;
const VALUE_SIZE = 8;

/** The queues in use; combined ones count on both sides. */
export interface Channels {
  readonly rx: number;
  readonly tx: number;
}

/** Name of the driver, e.g. `ixgbe`, `veth`. */
export function driverName(socket: number, ifname: string): string | undefined {
  const answer = ask(socket, ifname, ETHTOOL_GDRVINFO, DRVINFO_SIZE);
  return answer === undefined ? undefined : decodeString(bytesOf(answer).subarray(4, 36));
}

/** Generic receive offload, which makes a veth poll with NAPI. */
export function groOn(socket: number, ifname: string): boolean | undefined {
  return askBoolean(socket, ifname, ETHTOOL_GGRO);
}

/** Whether the device is to fill in checksums that its senders left out; XDP does not see that they are missing. */
export function txChecksumOn(socket: number, ifname: string): boolean | undefined {
  return askBoolean(socket, ifname, ETHTOOL_GTXCSUM);
}

export function channels(socket: number, ifname: string): Channels | undefined {
  const answer = ask(socket, ifname, ETHTOOL_GCHANNELS, CHANNELS_SIZE);
  if (answer === undefined) return undefined;
  // cmd, max_rx, max_tx, max_other, max_combined, then the counts in the same order.
  const [rx = 0, tx = 0, , combined = 0] = [20, 24, 28, 32].map((offset) => answer.getUint32(offset, littleEndian));
  return { rx: rx + combined, tx: tx + combined };
}

/** The driver's own counters by name; empty when it has none. */
export function driverStatistics(socket: number, ifname: string): ReadonlyMap<string, number> {
  // struct ethtool_sset_info: cmd, reserved, u64 mask of the sets asked for, then the number of strings of each.
  const sets = ask(socket, ifname, ETHTOOL_GSSET_INFO, 20, (view) => {
    view.setBigUint64(8, 1n << BigInt(ETH_SS_STATS), littleEndian);
  });
  const count = sets?.getUint32(16, littleEndian) ?? 0;
  if (count === 0) return new Map();
  // struct ethtool_gstrings: cmd, string_set, len. struct ethtool_stats: cmd, n_stats.
  const names = ask(socket, ifname, ETHTOOL_GSTRINGS, 12 + count * ETH_GSTRING_LEN, (view) => {
    view.setUint32(4, ETH_SS_STATS, littleEndian);
    view.setUint32(8, count, littleEndian);
  });
  const values = ask(socket, ifname, ETHTOOL_GSTATS, 8 + count * 8, (view) => view.setUint32(4, count, littleEndian));
  if (names === undefined || values === undefined) return new Map();
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const at = 12 + index * ETH_GSTRING_LEN;
      const name = decodeString(bytesOf(names).subarray(at, at + ETH_GSTRING_LEN));
      return [name, Number(values.getBigUint64(8 + index * 8, littleEndian))] as const;
    }),
  );
}

function askBoolean(socket: number, ifname: string, command: number): boolean | undefined {
  const answer = ask(socket, ifname, command, VALUE_SIZE);
  return answer === undefined ? undefined : answer.getUint32(4, littleEndian) !== 0;
}

function ask(
  socket: number,
  ifname: string,
  command: number,
  size: number,
  fill: (view: DataView) => void = () => {},
): DataView | undefined {
  const answer = new Uint8Array(size);
  const view = new DataView(answer.buffer);
  view.setUint32(0, command, littleEndian);
  fill(view);
  const request = new Uint8Array(IFREQ_SIZE);
  const name = bytesOfText(ifname);
  if (name.length >= IFNAMSIZ) return undefined;
  request.set(name);
  new DataView(request.buffer).setBigUint64(IFNAMSIZ, addressOf(answer), littleEndian);
  return libc.ioctl(socket, SIOCETHTOOL, request) === 0 ? view : undefined;
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}
