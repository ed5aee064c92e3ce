import { littleEndian } from '../domain/byte-order.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { addressOf } from '../ffi/memory.ts';
import { check } from './check.ts';
import type { BpfProgram } from './program.ts';

/** struct bpf_test_run_opts (bpf/bpf.h) of libbpf 1.0. */
const TEST_RUN_OPTS_SIZE = 80;

/**
 * Runs a program again and again on the same memory (BPF_PROG_TEST_RUN), which is the packet that it sees and comes back
 * as it left it.
 */
export class TestRun {
  readonly #program: BpfProgram;
  readonly #options = new Uint8Array(TEST_RUN_OPTS_SIZE);
  readonly #view = new DataView(this.#options.buffer);
  readonly #packet: Uint8Array;

  /** @param packet more than 64 bytes, or V8 may move it */
  constructor(program: BpfProgram, packet: Uint8Array) {
    this.#program = program;
    this.#packet = packet;
    const address = addressOf(packet);
    this.#view.setBigUint64(0, BigInt(TEST_RUN_OPTS_SIZE), littleEndian);
    this.#view.setBigUint64(8, address, littleEndian);
    this.#view.setBigUint64(16, address, littleEndian);
    this.#view.setInt32(60, 1, littleEndian);
  }

  /**
   * One run.
   *
   * @returns what the program returned
   * @throws KernelRefusal `prog test run`
   */
  run(): number {
    // The kernel writes back how many bytes there were.
    this.#view.setUint32(24, this.#packet.length, littleEndian);
    this.#view.setUint32(28, this.#packet.length, littleEndian);
    check(libbpf.bpf_prog_test_run_opts(this.#program.fd, this.#options), 'prog test run', {
      id: this.#program.info.id,
    });
    return this.#view.getUint32(56, littleEndian);
  }
}
