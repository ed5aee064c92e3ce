import { littleEndian } from '../../domain/byte-order.ts';
import { KernelRefusal } from '../../domain/errors.ts';
import type { RingKind } from '../../domain/xsk-mappings.ts';
import { ConsumerRing, ProducerRing } from '../../domain/xsk-ring.ts';
import type { XskStatistics } from '../../domain/xsk-statistics.ts';
import { callInThread, lastErrno, libc } from '../../ffi/libc.ts';
import { EBUSY } from '../check.ts';
import { Fd } from '../fd.ts';
import { MappedRing, readRingOffsets } from './mapped-ring.ts';
import {
  AF_XDP,
  isZeroCopy,
  readXskStatistics,
  setXskOption,
  takeSocketError,
  XDP_RX_RING,
  XDP_TX_RING,
  XDP_UMEM_COMPLETION_RING,
  XDP_UMEM_FILL_RING,
  XDP_UMEM_REG,
} from './options.ts';
import { Umem } from './umem.ts';

const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x8_0000;
const MSG_DONTWAIT = 0x40;

/** Bind flags (linux/if_xdp.h). */
const XDP_COPY = 1 << 1;
const XDP_ZEROCOPY = 1 << 2;
const XDP_USE_NEED_WAKEUP = 1 << 3;

const POLLIN = 1;

/** In which way frames come into the socket's memory; `auto` is zero-copy where the driver can, else copy. */
export type XskCopyMode = 'auto' | 'copy' | 'zerocopy';

export interface XskSpec {
  /** Chunks of memory. */
  readonly frames: number;
  /** Bytes of a chunk, 2048 or 4096; a frame has 256 bytes less. */
  readonly frameSize: number;
  /** Entries of the rings, powers of two. */
  readonly rxSize: number;
  readonly fillSize: number;
  readonly completionSize: number;
  /** Absent for a socket that only receives. */
  readonly txSize?: number;
}

const EMPTY = new Uint8Array(1);

/**
 * An AF_XDP socket with memory and rings of its own. It gets frames once it is bound and in an XSKMAP.
 *
 * Closing it takes the mappings down first, or the kernel would keep the queue (and the map entry) although the
 * descriptor is closed; the queue is free a few milliseconds after.
 */
export class XskSocket implements Disposable {
  readonly spec: XskSpec;
  readonly umem: Umem;
  readonly rx: ConsumerRing;
  readonly fill: ProducerRing;
  readonly completion: ConsumerRing;
  /** Undefined for a socket that only receives. */
  readonly tx: ProducerRing | undefined;
  readonly #fd: Fd;
  readonly #rings: readonly MappedRing[];
  readonly #poll: Uint8Array;

  private constructor(spec: XskSpec, umem: Umem, fd: Fd, rings: ReadonlyMap<RingKind, MappedRing>) {
    this.spec = spec;
    this.umem = umem;
    this.#fd = fd;
    this.#rings = [...rings.values()];
    const memory = (kind: RingKind): MappedRing['memory'] => {
      const ring = rings.get(kind);
      if (ring === undefined) throw new Error(`the ${kind} ring is not mapped`);
      return ring.memory;
    };
    this.rx = new ConsumerRing(memory('rx'));
    this.fill = new ProducerRing(memory('fill'));
    this.completion = new ConsumerRing(memory('completion'));
    this.tx = rings.has('tx') ? new ProducerRing(memory('tx')) : undefined;
    // struct pollfd (poll.h), longer than it needs so that V8 does not move it.
    this.#poll = new Uint8Array(128);
    const view = new DataView(this.#poll.buffer);
    view.setInt32(0, fd.number, littleEndian);
    view.setInt16(4, POLLIN, littleEndian);
  }

  /**
   * Opens a socket of the current network namespace. It is not bound yet.
   *
   * @throws KernelRefusal `xsk socket`, `xsk memory`, `xsk register memory`, `xsk ring`, `xsk map ring`
   */
  static open(spec: XskSpec): XskSocket {
    const opened: Disposable[] = [];
    try {
      const number = libc.socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
      if (number < 0) throw new KernelRefusal('xsk socket', lastErrno());
      const fd = own(opened, new Fd(number));
      const umem = own(opened, new Umem(spec.frames, spec.frameSize));
      registerMemory(number, umem);
      const rings = ringsOf(spec);
      for (const [kind, size] of rings) setRing(number, kind, size);
      const offsets = readRingOffsets(number);
      const mapped = new Map(
        rings.map(([kind, size]) => [kind, own(opened, new MappedRing(number, kind, offsets[kind], size))]),
      );
      return new XskSocket(spec, umem, fd, mapped);
    } catch (error) {
      for (const thing of opened.toReversed()) thing[Symbol.dispose]();
      throw error;
    }
  }

  get fd(): number {
    return this.#fd.number;
  }

  /**
   * Binds the socket to a receive queue of a device of its namespace.
   *
   * @returns false when the queue has a socket, which may be one that the kernel is still taking away
   * @throws KernelRefusal `xsk bind`
   */
  bind(ifindex: number, queue: number, mode: XskCopyMode): boolean {
    const flags = { auto: 0, copy: XDP_COPY, zerocopy: XDP_ZEROCOPY }[mode];
    const address = new Uint8Array(16);
    const view = new DataView(address.buffer);
    // struct sockaddr_xdp (linux/if_xdp.h).
    view.setUint16(0, AF_XDP, littleEndian);
    view.setUint16(2, flags | XDP_USE_NEED_WAKEUP, littleEndian);
    view.setUint32(4, ifindex, littleEndian);
    view.setUint32(8, queue, littleEndian);
    if (libc.bind(this.fd, address, address.length) === 0) return true;
    const errno = lastErrno();
    if (errno === EBUSY) return false;
    throw new KernelRefusal('xsk bind', errno, { ifindex, queue, mode });
  }

  /** Once bound. @throws KernelRefusal `xsk query` */
  get zeroCopy(): boolean {
    return isZeroCopy(this.fd);
  }

  /** @throws KernelRefusal `xsk query` */
  statistics(): XskStatistics {
    return readXskStatistics(this.fd);
  }

  /** ENETDOWN when its device has gone, once; 0 when nothing is wrong. */
  takeError(): number {
    return takeSocketError(this.fd);
  }

  /**
   * Sleeps until frames come, a signal comes, or the time is over. Nothing else happens in this process meanwhile.
   *
   * @returns whether there are frames
   */
  waitBriefly(milliseconds: number): boolean {
    return libc.poll(this.#poll, 1, milliseconds) > 0;
  }

  /** The same without keeping the event loop from running; the socket must stay open until it ends. */
  async wait(milliseconds: number): Promise<boolean> {
    const { result } = await callInThread(libc.poll, this.#poll, 1, milliseconds);
    return result > 0;
  }

  /** Makes the kernel take frames from the TX ring, where it waits to be told: some dozens a call in copy mode. */
  wakeTransmitter(): void {
    // EAGAIN, EBUSY and ENOBUFS mean "not all of them now"; the next call goes on.
    libc.send(this.fd, EMPTY, 0, MSG_DONTWAIT);
  }

  /** Tells a driver that waits for it that the fill ring has buffers again. */
  wakeReceiver(): void {
    libc.recv(this.fd, EMPTY, 0, MSG_DONTWAIT);
  }

  [Symbol.dispose](): void {
    for (const ring of this.#rings) ring[Symbol.dispose]();
    this.#fd[Symbol.dispose]();
    this.umem[Symbol.dispose]();
  }
}

/** Fill and completion ring are mandatory, even where nothing is sent. */
function ringsOf({ fillSize, completionSize, rxSize, txSize }: XskSpec): [RingKind, number][] {
  return [
    ['fill', fillSize],
    ['completion', completionSize],
    ['rx', rxSize],
    ...(txSize === undefined ? [] : [['tx', txSize] as [RingKind, number]]),
  ];
}

const ringOptions: Readonly<Record<RingKind, number>> = {
  rx: XDP_RX_RING,
  tx: XDP_TX_RING,
  fill: XDP_UMEM_FILL_RING,
  completion: XDP_UMEM_COMPLETION_RING,
};

function setRing(fd: number, kind: RingKind, size: number): void {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, size, littleEndian);
  setXskOption(fd, ringOptions[kind], value, 'xsk ring', { ring: kind, size });
}

/** struct xdp_umem_reg (linux/if_xdp.h); the kernel also takes the shorter forms of older headers. */
function registerMemory(fd: number, umem: Umem): void {
  const registration = new Uint8Array(32);
  const view = new DataView(registration.buffer);
  view.setBigUint64(0, umem.address, littleEndian);
  view.setBigUint64(8, BigInt(umem.bytes.length), littleEndian);
  view.setUint32(16, umem.frameSize, littleEndian);
  const { frames, frameSize } = umem;
  setXskOption(fd, XDP_UMEM_REG, registration, 'xsk register memory', { frames, frameSize });
}

function own<Thing extends Disposable>(list: Disposable[], thing: Thing): Thing {
  list.push(thing);
  return thing;
}
