import { littleEndian } from '../domain/byte-order.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { addressOf } from '../ffi/memory.ts';
import { check } from './check.ts';
import type { BpfProgram } from './program.ts';

/** BPF_F_TEST_XDP_LIVE_FRAMES (linux/bpf.h), from Linux 5.18. */
const LIVE_FRAMES = 1 << 1;
/** struct bpf_test_run_opts (bpf/bpf.h) of libbpf 1.0, and struct xdp_md (linux/bpf.h). */
const TEST_RUN_OPTS_SIZE = 80;
const XDP_MD_SIZE = 24;
/** Smaller buffers lie within V8's heap, which may move them. */
const MOVABLE = 128;

/**
 * The longest frame that the kernel makes: a page less its own header, the headroom of XDP and the room for struct
 * skb_shared_info (xdp_test_run_setup, net/bpf/test_run.c).
 */
export const LONGEST_LIVE_FRAME = 3400;

/** The receive queue by which such frames seem to have come: the kernel gives them no other (xdp_test_run_setup). */
export const LIVE_QUEUE = 0;

/**
 * Runs a program on frames as if they had come by a device, in this thread; what it redirects is really sent, what it
 * passes goes to the network stack. Whatever mode the program is attached in, they take the native path.
 */
export class LiveFrames {
  readonly #program: BpfProgram;
  readonly #frame: Uint8Array;
  readonly #length: number;
  readonly #context = new Uint8Array(MOVABLE);

  /** @param ifindex of a device of this network namespace; it must be up, and its driver must have XDP */
  constructor(program: BpfProgram, frame: Uint8Array, ifindex: number) {
    this.#program = program;
    this.#length = frame.length;
    this.#frame = new Uint8Array(Math.max(frame.length, MOVABLE));
    this.#frame.set(frame);
    const context = new DataView(this.#context.buffer);
    // data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
    [0, frame.length, 0, ifindex, LIVE_QUEUE, 0].forEach((value, index) => {
      context.setUint32(4 * index, value, littleEndian);
    });
  }

  /**
   * Sends frames, all in one go.
   *
   * @throws KernelRefusal `running frames through program`: EINVAL for a device without XDP, a kernel before 5.18
   */
  send(count: number): void {
    this.#run(count, LIVE_FRAMES, count);
  }

  /**
   * What the program returns for such a frame; nothing is sent, but the program does with its maps what it always does.
   *
   * @throws KernelRefusal `running frames through program`
   */
  rehearse(): number {
    return this.#run(1, 0, 0);
  }

  #run(repeat: number, flags: number, batch: number): number {
    const options = new Uint8Array(TEST_RUN_OPTS_SIZE);
    const view = new DataView(options.buffer);
    view.setBigUint64(0, BigInt(TEST_RUN_OPTS_SIZE), littleEndian);
    view.setBigUint64(8, addressOf(this.#frame), littleEndian);
    view.setUint32(24, this.#length, littleEndian);
    view.setBigUint64(32, addressOf(this.#context), littleEndian);
    view.setUint32(48, XDP_MD_SIZE, littleEndian);
    view.setInt32(60, repeat, littleEndian);
    view.setUint32(68, flags, littleEndian);
    view.setUint32(76, batch, littleEndian);
    check(libbpf.bpf_prog_test_run_opts(this.#program.fd, options), 'running frames through program', {
      id: this.#program.info.id,
    });
    return view.getUint32(56, littleEndian);
  }
}
