/**
 * Raw Ethernet frames on one interface of the current network namespace: the part of packet(7) that send and receive
 * share.
 */
import os from 'node:os';

import koffi from 'koffi';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;

/** "Local experimental" (IEEE 802): no network stack answers such frames. */
export const experimentalEthertype = 0x88b5;

const libc = koffi.load('libc.so.6');
const ifNameToIndex = libc.func('if_nametoindex', 'uint', ['str']);
const socket = libc.func('socket', 'int', ['int', 'int', 'int']);
const bind = libc.func('bind', 'int', ['int', 'void *', 'uint']);
const getsockname = libc.func('getsockname', 'int', ['int', 'void *', 'void *']);
const getsockopt = libc.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']);
const send = libc.func('send', 'long', ['int', 'void *', 'size_t', 'int']);

/** Returns a call's result, or throws with the name of the errno it failed with. */
function check(call, result) {
  if (result >= 0) return result;
  const errno = koffi.errno();
  const name = Object.entries(os.constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
  throw Object.assign(new Error(`${call}: ${name}`), { code: name });
}

/**
 * A raw socket on an interface. A `protocol` of 0 receives nothing.
 * @param {string} device interface name
 * @param {number} protocol ethertype of the frames to receive, host byte order
 */
export function openPacketSocket(device, protocol) {
  const ifindex = ifNameToIndex(device);
  if (ifindex === 0) throw new Error(`no interface ${device} in this network namespace`);
  const fd = check('socket', socket(AF_PACKET, SOCK_RAW, 0));
  // struct sockaddr_ll (linux/if_packet.h): family 0, protocol 2 (big-endian), ifindex 4, …, halen 11, addr 12
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(protocol, 2);
  address.writeInt32LE(ifindex, 4);
  check('bind', bind(fd, address, address.length));
  check('getsockname', getsockname(fd, address, Uint32Array.of(address.length)));

  return {
    /** The interface's own MAC address. */
    mac: address.subarray(12, 18),

    /** Sends one whole frame, Ethernet header included. Throws, with the errno's name as `code`. */
    send(frame) {
      check('send', Number(send(fd, frame, frame.length, 0)));
    },

    /** How many frames have arrived since the last call (the kernel starts anew at each), read or not. */
    takeArrived() {
      const statistics = new Uint32Array(2); // struct tpacket_stats: tp_packets (tp_drops included), tp_drops
      check('getsockopt', getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics, Uint32Array.of(8)));
      return statistics[0];
    },
  };
}

/**
 * The six bytes of a MAC address in the usual colon form.
 * @param {string} text
 */
export function parseMac(text) {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) throw new Error(`not a MAC address: ${text}`);
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}
