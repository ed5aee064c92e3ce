import { fstatSync } from 'node:fs';

import { KernelRefusal } from '../../domain/errors.ts';
import { encodeInteger } from '../../domain/integer.ts';
import { FrameFlow } from '../../domain/xsk-frames.ts';
import { EBUSY } from '../check.ts';
import { gracePeriod } from '../grace-period.ts';
import { BPF_NOEXIST, type BpfMap } from '../map.ts';
import { loadRedirectProgram, type RedirectProgram } from '../redirect-program.ts';
import { TemporaryAttachment } from '../temporary-attachment.ts';
import { Transaction } from '../transaction.ts';
import type { XdpMode } from '../xdp-attachment.ts';
import { XskmapReader } from '../xskmap-reader.ts';
import { type XskCopyMode, XskSocket, type XskSpec } from './socket.ts';

/** A socket on a receive queue, and how frames get there. */
export interface BindingPlan {
  readonly ifindex: number;
  readonly queue: number;
  readonly mode: XskCopyMode;
  readonly spec: XskSpec;
  /** The XSKMAP to enter the socket in, at the key that is the queue's number; or a program of ours, with a map of its own. */
  readonly path:
    | { readonly map: BpfMap }
    | { readonly attach: { readonly mode: XdpMode; readonly maxEntries: number } };
}

/** How long a queue may take to become free after its socket was closed. */
const RELEASE_MS = 1000;
const RETRY_MS = 10;

/** A bound socket that is in its map, with the program that brings frames where that is ours. */
export class Binding implements Disposable {
  readonly socket: XskSocket;
  readonly flow: FrameFlow;
  readonly map: BpfMap;
  /** Our own program and its counters; undefined where the map is somebody else's. */
  readonly own: RedirectProgram | undefined;
  readonly zeroCopy: boolean;
  readonly #queue: number;
  /** Takes back what was done. */
  readonly #undo: Transaction;
  #attachment: TemporaryAttachment | undefined;
  #entered = false;

  private constructor(
    plan: BindingPlan,
    socket: XskSocket,
    flow: FrameFlow,
    own: RedirectProgram | undefined,
    undo: Transaction,
  ) {
    const map = 'map' in plan.path ? plan.path.map : own?.targets;
    if (map === undefined) throw new Error('the program has no map of targets');
    this.socket = socket;
    this.flow = flow;
    this.map = map;
    this.own = own;
    this.zeroCopy = socket.zeroCopy;
    this.#queue = plan.queue;
    this.#undo = undo;
  }

  /**
   * Opens the socket, binds it, enters it in the map, and only then attaches the program: a failure leaves nothing. A
   * queue that is being released is waited for.
   *
   * @throws KernelRefusal of the step that failed; `xsk bind` with EBUSY where the queue has another socket; the
   *   signal's reason when it comes while waiting
   */
  static async open(plan: BindingPlan, signal: AbortSignal): Promise<Binding> {
    const undo = new Transaction();
    const keep = <Part extends Disposable>(part: Part): Part => {
      undo.onRollback(() => part[Symbol.dispose]());
      return part;
    };
    try {
      const attach = 'attach' in plan.path ? plan.path.attach : undefined;
      const own = attach && keep(loadProgram(attach.maxEntries));
      const socket = keep(XskSocket.open(plan.spec));
      // Before the socket is bound: a driver takes its first buffers at once.
      const flow = new FrameFlow(socket, socket.umem);
      await bind(socket, plan, signal);
      const binding = new Binding(plan, socket, flow, own, undo);
      binding.#enterMap();
      if (own !== undefined && attach !== undefined) {
        binding.#attachment = keep(TemporaryAttachment.attach(plan.ifindex, own.program, attach.mode));
      }
      return binding;
    } catch (error) {
      undo[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Takes the socket out of the map and the program off the device, and waits until no frame is under way to the
   * socket: what is in its RX ring then is all there will be.
   */
  async stop(): Promise<void> {
    this.#leaveMap();
    this.#attachment?.[Symbol.dispose]();
    await gracePeriod();
  }

  [Symbol.dispose](): void {
    this.#leaveMap();
    this.#undo[Symbol.dispose]();
  }

  #enterMap(): void {
    this.map.update(encodeInteger(this.#queue, 4), encodeInteger(this.socket.fd, 4), BPF_NOEXIST);
    this.#entered = true;
  }

  /**
   * Unless another socket has taken our place. Closing the socket does it too, a little later: that is left where the map
   * may not be changed any more (frozen).
   */
  #leaveMap(): void {
    if (!this.#entered) return;
    this.#entered = false;
    if (this.#isReplaced()) return;
    try {
      this.map.delete(encodeInteger(this.#queue, 4));
    } catch (error) {
      if (!(error instanceof KernelRefusal)) throw error;
    }
  }

  /** Whether the entry is known to be of another socket. */
  #isReplaced(): boolean {
    try {
      using reader = new XskmapReader(this.map);
      const inode = reader.entry(this.#queue)?.details?.inode;
      return inode !== undefined && inode !== fstatSync(this.socket.fd).ino;
    } catch (error) {
      if (error instanceof KernelRefusal) return false;
      throw error;
    }
  }
}

function loadProgram(maxEntries: number): RedirectProgram {
  const config = { onMiss: 'pass', key: 'queue', broadcast: false, excludeIngress: false } as const;
  return loadRedirectProgram('redirect_xskmap', config, maxEntries);
}

async function bind(socket: XskSocket, { ifindex, queue, mode }: BindingPlan, signal: AbortSignal): Promise<void> {
  const end = performance.now() + RELEASE_MS;
  while (!socket.bind(ifindex, queue, mode)) {
    if (performance.now() >= end) throw new KernelRefusal('xsk bind', EBUSY, { ifindex, queue });
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    signal.throwIfAborted();
  }
}
