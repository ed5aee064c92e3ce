import { littleEndian } from '../domain/byte-order.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { addressOf } from '../ffi/memory.ts';
import { check } from './check.ts';
import type { BpfProgram } from './program.ts';

/** What a program is run on. */
export interface RunInput {
  /** The frame. */
  readonly data: Uint8Array | undefined;
  /** For XDP a struct xdp_md (linux/bpf.h): where metadata ends, and ifindex and queue of a device that exists. */
  readonly context: Uint8Array | undefined;
  /** How often it is run on the same frame, at least 1. */
  readonly repeat: number;
  /** Most bytes of the frame that are wanted back. */
  readonly dataOutSize: number;
  readonly contextOutSize: number;
}

export interface RunResult {
  /** What it returned, the last time. */
  readonly returned: number;
  /** Nanoseconds, on average. */
  readonly duration: number;
  readonly data: Uint8Array;
  readonly context: Uint8Array;
}

/** struct bpf_test_run_opts (bpf/bpf.h) of libbpf 1.0. */
const TEST_RUN_OPTS_SIZE = 80;

/**
 * Runs a program (BPF_PROG_TEST_RUN). What it does to maps it does; a frame that it redirects or sends goes nowhere.
 *
 * @throws KernelRefusal `prog run`; EINTR when a signal came before the last run
 */
export function runProgram(program: BpfProgram, input: RunInput): RunResult {
  const options = new Uint8Array(TEST_RUN_OPTS_SIZE);
  const view = new DataView(options.buffer);
  const data = new Uint8Array(input.dataOutSize);
  const context = new Uint8Array(input.contextOutSize);
  const point = (offset: number, sizeOffset: number, bytes: Uint8Array | undefined): void => {
    if (bytes === undefined || bytes.length === 0) return;
    view.setBigUint64(offset, addressOf(bytes), littleEndian);
    view.setUint32(sizeOffset, bytes.length, littleEndian);
  };
  view.setBigUint64(0, BigInt(TEST_RUN_OPTS_SIZE), littleEndian);
  point(8, 24, input.data);
  point(16, 28, data);
  point(32, 48, input.context);
  point(40, 52, context);
  view.setInt32(60, input.repeat, littleEndian);
  check(libbpf.bpf_prog_test_run_opts(program.fd, options), 'prog run', {
    id: program.info.id,
    bytes: input.data?.length ?? 0,
    roomForData: input.dataOutSize,
  });
  return {
    returned: view.getUint32(56, littleEndian),
    duration: view.getUint32(64, littleEndian),
    data: data.subarray(0, view.getUint32(28, littleEndian)),
    context: context.subarray(0, view.getUint32(52, littleEndian)),
  };
}
