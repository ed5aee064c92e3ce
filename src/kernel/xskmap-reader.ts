import { KernelRefusal } from '../domain/errors.ts';
import { openBuiltin } from './builtin-objects.ts';
import type { BpfMap } from './map.ts';
import type { BpfProgram } from './program.ts';
import { TestRun } from './test-run.ts';

/** What becomes of an AF_XDP socket: `device-gone` is one that was bound, and whose device left. */
export type XskState = 'unbound' | 'bound' | 'device-gone';

/** A socket in an XSKMAP. */
export interface XskmapEntry {
  readonly key: number;
  /** The receive queue it is bound to. Where `details` are missing, 0 may also mean that it is not bound. */
  readonly queue: number;
  /** Absent where the kernel or missing rights allow only the queue to be read. */
  readonly details?: XskDetails;
}

export interface XskDetails {
  readonly state: XskState;
  /** In its own network namespace; 0 unless it is bound. */
  readonly ifindex: number;
  /** Inode number of the socket's network namespace. */
  readonly netns: number;
  readonly zeroCopy: boolean;
  /** The N of `socket:[N]` in /proc/PID/fd; 0 when no process holds it any more. */
  readonly inode: number;
}

/**
 * Reads an XSKMAP, which the system call refuses to: a small program looks the sockets up under BPF_PROG_TEST_RUN. See
 * bpf-objects/README.md.
 */
export class XskmapReader implements Disposable {
  readonly #maxEntries: number;
  readonly #program: BpfProgram;
  readonly #read: (program: BpfProgram, from: number, to: number) => Generator<XskmapEntry>;
  /** Why only the queues can be read; undefined when all can. */
  readonly refusal: KernelRefusal | undefined;

  /** @throws KernelRefusal `object load` when not even the queues can be read */
  constructor(map: BpfMap) {
    this.#maxEntries = map.info.maxEntries;
    try {
      this.#program = load('xskmap_reader', 'read_sockets', map);
      this.#read = readSockets;
    } catch (error) {
      // Without BTF or CAP_PERFMON: ESRCH, EACCES, E2BIG or EFAULT, according to the kernel.
      if (!(error instanceof KernelRefusal)) throw error;
      this.refusal = error;
      this.#program = load('xskmap_queues', 'read_queues', map);
      this.#read = readQueues;
    }
  }

  /**
   * The sockets at the keys `from` to `to` - 1, in the order of their keys.
   *
   * @throws KernelRefusal `prog test run`
   */
  entries(from = 0, to = this.#maxEntries): Generator<XskmapEntry> {
    return this.#read(this.#program, from, to);
  }

  /** The socket at a key. @throws KernelRefusal `prog test run` */
  entry(key: number): XskmapEntry | undefined {
    const [found] = this.entries(key, key + 1);
    return found;
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
  }
}

function load(object: string, name: string, map: BpfMap): BpfProgram {
  using opened = openBuiltin(object);
  const sockets = opened.map('sockets');
  const program = opened.program(name);
  if (sockets === undefined || program === undefined) {
    throw new Error(`bpf-objects/${object}.bpf.o has not the map and the program it should have`);
  }
  sockets.reuse(map);
  opened.load();
  return program.openProgram();
}

/** The packet of xskmap_reader: struct cursor, then up to 109 of struct socket_record, in words of 32 bits. */
const CURSOR_WORDS = 4;
const RECORD_WORDS = 8;
const MAX_RECORDS = 109;

/** enum { XSK_READY, XSK_BOUND, XSK_UNBOUND } (net/xdp_sock.h). */
const states: readonly XskState[] = ['unbound', 'bound', 'device-gone'];

function* readSockets(program: BpfProgram, from: number, to: number): Generator<XskmapEntry> {
  const packet = new Uint32Array(CURSOR_WORDS + MAX_RECORDS * RECORD_WORDS);
  const test = new TestRun(program, new Uint8Array(packet.buffer));
  packet[0] = from;
  packet[1] = to;
  while (word(packet, 0) < to) {
    packet[2] = 0;
    const before = word(packet, 0);
    test.run();
    const records = word(packet, 2);
    for (let record = 0; record < records; record += 1) {
      const at = CURSOR_WORDS + record * RECORD_WORDS;
      yield {
        key: word(packet, at),
        queue: word(packet, at + 1),
        details: {
          ifindex: word(packet, at + 2),
          state: states[word(packet, at + 3)] ?? 'device-gone',
          netns: word(packet, at + 4),
          zeroCopy: word(packet, at + 5) !== 0,
          inode: word(packet, at + 6) + word(packet, at + 7) * 2 ** 32,
        },
      };
    }
    if (word(packet, 0) === before) throw new Error(`the program that reads XSKMAPs stopped at key ${before}`);
  }
}

/** The packet of xskmap_queues: u32 first_key, then a queue or -1 for each key from it on. */
const KEYS_PER_RUN = 64;

function* readQueues(program: BpfProgram, from: number, to: number): Generator<XskmapEntry> {
  const packet = new Int32Array(1 + KEYS_PER_RUN);
  const test = new TestRun(program, new Uint8Array(packet.buffer));
  for (let first = from; first < to; first += KEYS_PER_RUN) {
    packet[0] = first;
    test.run();
    for (let index = 0; index < Math.min(KEYS_PER_RUN, to - first); index += 1) {
      const queue = packet[1 + index] as number;
      if (queue >= 0) yield { key: first + index, queue };
    }
  }
}

function word(words: Uint32Array, index: number): number {
  return words[index] as number;
}
