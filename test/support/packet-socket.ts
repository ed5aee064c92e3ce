import { lastErrno, libc } from '../../src/ffi/libc.ts';
import { interfaceIndex } from '../../src/kernel/interface-names.ts';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;

/** Sends raw frames out of an interface of the current network namespace, in this process. */
export class PacketSocket implements Disposable {
  readonly #fd: number;

  constructor(ifname: string) {
    this.#fd = libc.socket(AF_PACKET, SOCK_RAW, 0);
    // struct sockaddr_ll (linux/if_packet.h): family 0, protocol 2, ifindex 4.
    const address = new Uint8Array(20);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setInt32(4, interfaceIndex(ifname) ?? 0, true);
    // As much as there may be: frames that wait in a ring count until they are taken out.
    libc.setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUF, new Uint8Array(new Int32Array([2 ** 30]).buffer), 4);
    if (libc.bind(this.#fd, address, address.length) !== 0) throw new Error(`${ifname}: bind: errno ${lastErrno()}`);
  }

  /** A frame of the experimental ethertype to everybody. */
  frame(size: number): Uint8Array {
    const frame = new Uint8Array(size);
    frame.fill(0xff, 0, 6);
    frame.set([2, 0, 0, 0, 0, 1, 0x88, 0xb5], 6);
    return frame;
  }

  /** @throws Error when the kernel does not take it */
  send(frame: Uint8Array): void {
    if (libc.send(this.#fd, frame, frame.length, 0) !== frame.length) throw new Error(`send: errno ${lastErrno()}`);
  }

  [Symbol.dispose](): void {
    libc.close(this.#fd);
  }
}
