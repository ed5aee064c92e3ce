import { fstatSync, readdirSync, readlinkSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { encodeInteger } from '../../src/domain/integer.ts';
import { Binding, type BindingPlan } from '../../src/kernel/af-xdp/binding.ts';
import { CaptureFile } from '../../src/kernel/af-xdp/capture-file.ts';
import { Consumption } from '../../src/kernel/af-xdp/consumption.ts';
import { surveySockets } from '../../src/kernel/af-xdp/socket-survey.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { BPF_ANY, BpfMap } from '../../src/kernel/map.ts';
import { enterNetns } from '../../src/kernel/netns.ts';
import { attachedPrograms } from '../../src/kernel/xdp-attachment.ts';
import { XskmapReader } from '../../src/kernel/xskmap-reader.ts';
import { PacketSocket } from '../support/packet-socket.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { createWorld, type End, type Pair } from '../support/world.ts';
import { failAfter, failedCall, mappedBytes, noteCalls, undisturbed } from './support/failing-calls.ts';

vi.mock('../../src/ffi/libc.ts', async (original) =>
  (await import('./support/failing-calls.ts')).failingLibc(await original()),
);
vi.mock('../../src/ffi/libbpf.ts', async (original) =>
  (await import('./support/failing-calls.ts')).failingLibbpf(await original()),
);

const spec = { frames: 8, frameSize: 2048, rxSize: 8, fillSize: 8, completionSize: 8, txSize: 8 };

/** A veth pair in a namespace of its own, which this thread is in, and an XSKMAP. */
class Scene implements Disposable {
  readonly #world = createWorld();
  readonly #folder = new TemporaryFolder();
  readonly #inside: Disposable;
  readonly pair: Pair;
  readonly map = BpfMap.create({ type: 17, name: 'sockets', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 });
  readonly file = this.#folder.file('a.pcapng');

  constructor() {
    const namespace = this.#world.namespace();
    this.pair = this.#world.veth({ namespace }, { namespace });
    this.#inside = enterNetns(namespace);
  }

  plan(path: BindingPlan['path'] = { map: this.map }): BindingPlan {
    return { ifindex: this.pair.a.ifindex, queue: 0, mode: 'auto', spec, path };
  }

  send(count: number): void {
    using packets = new PacketSocket(this.pair.b.name);
    const frame = packets.frame(60);
    for (let sent = 0; sent < count; sent += 1) packets.send(frame);
  }

  [Symbol.dispose](): void {
    failAfter();
    this.#inside[Symbol.dispose]();
    this.map[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
    this.#world[Symbol.dispose]();
  }
}

/** The whole life of a socket: bound, sent frames, echoing and writing them, stopped. */
async function live(scene: Scene, path: BindingPlan['path']): Promise<void> {
  const { signal } = new AbortController();
  using binding = await Binding.open(scene.plan(path), signal);
  const { socket, flow } = binding;
  using capture = CaptureFile.create(scene.file, true, socket.umem);
  const consumption = new Consumption({ socket, flow, signal, capture, echo: true });
  undisturbed(() => scene.send(5));
  await consumption.until(performance.now() + 30);
  await binding.stop();
  await consumption.finish('time');
  socket.statistics();
}

interface Outcome {
  /** How many calls there are, each of which failed once. */
  readonly calls: number;
  /** What was wrong, and the call that had failed. */
  readonly faults: readonly string[];
}

/**
 * Does something again and again, and each time another call of it fails, until all have.
 *
 * @param check says what is left that should not be
 */
async function failEach(act: () => void | Promise<void>, check: () => string[]): Promise<Outcome> {
  const faults: string[] = [];
  for (let calls = 0; ; calls += 1) {
    const before = resources();
    failAfter(calls);
    const thrown = await thrownBy(act);
    const failed = failedCall();
    failAfter();
    const found = resources() === before ? check() : [`${resources()} instead of ${before}`, ...check()];
    if (thrown !== undefined && (failed === undefined || !(thrown instanceof KernelRefusal))) {
      found.push(`throws ${thrown.message}`);
    }
    if (failed === undefined) return { calls, faults: [...faults, ...found] };
    faults.push(...found.map((fault) => `call ${calls}, ${failed}: ${fault}`));
  }
}

async function thrownBy(act: () => void | Promise<void>): Promise<Error | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('something that is no error');
  }
}

function resources(): string {
  return `descriptors ${readdirSync('/proc/self/fd').join(' ')}, ${mappedBytes()} bytes mapped`;
}

describe('when any one call fails', () => {
  it.each(['attach', 'map'] as const)('a socket on its way (%s) leaves nothing', async (kind) => {
    using scene = new Scene();
    const path = kind === 'map' ? { map: scene.map } : { attach: { mode: 'native', maxEntries: 1 } as const };
    const { calls, faults } = await failEach(
      () => live(scene, path),
      () => [...heldKeys(scene.map), ...programs(scene.pair.a)],
    );
    expect(faults).toEqual([]);
    expect(calls).toBeGreaterThan(20);
  });

  it('the survey of sockets leaves nothing', async () => {
    using scene = new Scene();
    using binding = await Binding.open(scene.plan(), new AbortController().signal);
    expect(binding.zeroCopy).toBe(false);
    const { calls, faults } = await failEach(
      () => void surveySockets(),
      () => [],
    );
    expect(faults).toEqual([]);
    // Of a machine that has no other map.
    expect(calls).toBeGreaterThan(10);
  });
});

describe('the order of calls', () => {
  it('is socket, memory, rings, bind, map and program, and the way back', async () => {
    using scene = new Scene();
    const path = { attach: { mode: 'native', maxEntries: 1 } } as const;
    const calls = noteCalls();
    const binding = await Binding.open(scene.plan(path), new AbortController().signal);
    // Memory, fill, completion, RX and TX ring.
    const opened = calls.filter((name) => /^(?:socket|mmap|bind|bpf_map_update_elem|bpf_link_create)$/.test(name));
    const rings = ['mmap', 'mmap', 'mmap', 'mmap'];
    expect(opened).toEqual(['socket', 'mmap', ...rings, 'bind', 'bpf_map_update_elem', 'bpf_link_create']);
    const fds = descriptorsOf(binding);
    const closed = noteCalls();
    binding[Symbol.dispose]();
    const last = closed.filter((name) => /^(?:munmap|close|bpf_map_delete_elem)$/.test(name));
    const removed = last.indexOf('bpf_map_delete_elem');
    const [firstUnmapped, lastUnmapped] = [last.indexOf('munmap'), last.lastIndexOf('munmap')];
    expect(removed).toBeLessThan(firstUnmapped);
    // The program goes before the rings, the socket between them and its memory: then the queue is free.
    expect(last.slice(firstUnmapped, lastUnmapped + 1)).toEqual([...rings.map(() => 'munmap'), 'close', 'munmap']);
    expect(last.slice(removed, firstUnmapped)).toContain('close');
    for (const fd of fds) expect(() => readlinkSync(`/proc/self/fd/${fd}`)).toThrow('ENOENT');
  });
});

describe('an entry of the map', () => {
  it('that another socket has taken stays', async () => {
    using scene = new Scene();
    using other = XskSocket.open(spec);
    {
      using binding = await Binding.open(scene.plan(), new AbortController().signal);
      scene.map.update(new Uint8Array(4), encodeInteger(other.fd, 4), BPF_ANY);
      await binding.stop();
    }
    using reader = new XskmapReader(scene.map);
    expect(reader.entry(0)?.details?.inode).toBe(fstatSync(other.fd).ino);
  });

  it('that another process has taken out is none to take out', async () => {
    using scene = new Scene();
    using binding = await Binding.open(scene.plan(), new AbortController().signal);
    scene.map.delete(new Uint8Array(4));
    await binding.stop();
    expect(heldKeys(scene.map)).toEqual([]);
  });
});

function descriptorsOf({ socket, own }: Binding): number[] {
  return [socket.fd, ...(own === undefined ? [] : [own.program.fd, own.targets.fd])];
}

/** The keys whose socket somebody holds: the kernel takes out those of closed sockets a little later. */
function heldKeys(map: BpfMap): string[] {
  using reader = new XskmapReader(map);
  return [...reader.entries()].filter(({ details }) => details?.inode !== 0).map(({ key }) => `key ${key} is occupied`);
}

function programs({ ifindex, name }: End): string[] {
  return attachedPrograms(ifindex).map(({ progId }) => `program ${progId} is attached to ${name}`);
}
