import { littleEndian } from '../domain/byte-order.ts';
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

function askBoolean(socket: number, ifname: string, command: number): boolean | undefined {
  const answer = ask(socket, ifname, command, VALUE_SIZE);
  return answer === undefined ? undefined : answer.getUint32(4, littleEndian) !== 0;
}

function ask(socket: number, ifname: string, command: number, size: number): DataView | undefined {
  const answer = new Uint8Array(size);
  const view = new DataView(answer.buffer);
  view.setUint32(0, command, littleEndian);
  const request = new Uint8Array(IFREQ_SIZE);
  const name = new TextEncoder().encode(ifname);
  if (name.length >= IFNAMSIZ) return undefined;
  request.set(name);
  new DataView(request.buffer).setBigUint64(IFNAMSIZ, addressOf(answer), littleEndian);
  return libc.ioctl(socket, SIOCETHTOOL, request) === 0 ? view : undefined;
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}
