import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { addUpCounters, type DropCounter } from '../../src/domain/drop-counter.ts';
import { findingsOf } from '../../src/domain/ledger.ts';
import { readLiveSystem } from '../../src/kernel/inventory.ts';
import { mountKernelFilesystem } from '../../src/kernel/tracefs-mount.ts';
import type { BackendName, TraceRequest } from '../../src/tracing/backend.ts';
import { countingCommand, startTracing } from '../../src/tracing/select.ts';
import { ensureTracefs, type Events, readEvents } from '../../src/tracing/tracefs.ts';
import { framesThrough, sendFrames, startSending } from '../support/frames.ts';
import { expectNothingNew, kernelState, newSince } from '../support/leaks.ts';
import { untilLine } from '../support/lines.ts';
import { hasProgram, needProgram } from '../support/need.ts';
import { tool } from '../support/tool.ts';
import { createLossyPath, faultyObject, type LossyPath } from './support/lossy-path.ts';

const backends: readonly BackendName[] = ['builtin', 'bpftrace', 'perf'];
const tools = ['bpftrace', 'perf'] as const;

const events = (): Events => readEvents(ensureTracefs(), 'xdp');

beforeAll(() => void ensureTracefs(mountKernelFilesystem));

function requestFor({ ingress, egress }: LossyPath): TraceRequest {
  return { filter: { ifindexes: [ingress.ifindex, egress.ifindex] }, events };
}

describe.each(backends)('%s', (via) => {
  it('has nothing to say when nothing is lost', async () => {
    using path = createLossyPath(faultyObject, 'forward');
    path.setEntry('targets', 0, path.egress.ifindex);
    await using session = await startTracing(via, requestFor(path));
    expect(await framesThrough(path.source, path.sink, { count: 20 })).toBe(20);
    const { counters } = await session.stop();
    expect(findingsOf(counters, readLiveSystem())).toEqual([]);
  });

  it('tells what it has counted so far', async () => {
    using path = createLossyPath(faultyObject, 'gives_up');
    await using session = await startTracing(via, { ...requestFor(path), snapshotEvery: 100 });
    sendFrames(path.source, { count: 7 });
    expect(await snapshotOf(session, 7)).toMatchObject([{ event: 'xdp_exception', count: 7, action: 0 }]);
    sendFrames(path.source, { count: 5 });
    expect(await snapshotOf(session, 12)).toMatchObject([{ count: 12 }]);
    expect(xdpCounters((await session.stop()).counters)).toMatchObject([{ count: 12 }]);
  });

  it('is stopped when frames are lost too fast', async () => {
    using path = createLossyPath(faultyObject, 'gives_up');
    await using session = await startTracing(via, { ...requestFor(path), maxRate: 20 });
    const sending = startSending(path.source, { count: 1500, milliseconds: 1 });
    expect(await session.ended).toMatchObject({ why: 'max-rate' });
    const { counters, end } = await session.stop();
    expect(end).toMatchObject({ why: 'max-rate', rate: expect.any(Number) as number });
    expect(xdpCounters(counters)).toHaveLength(1);
    await sending;
  });

  it('ends in order when a signal comes, and keeps its counts', async () => {
    using path = createLossyPath(faultyObject, 'gives_up');
    const interrupt = new AbortController();
    await using session = await startTracing(via, { ...requestFor(path), signal: interrupt.signal });
    sendFrames(path.source, { count: 9 });
    interrupt.abort('SIGINT');
    expect(await session.ended).toEqual({ why: 'asked' });
    expect(xdpCounters((await session.stop()).counters)).toMatchObject([{ count: 9 }]);
  });
});

it.each(tools)('%s has a command that runs when it is pasted', async (via) => {
  const { backend, text } = await countingCommand(via, { filter: {}, events });
  expect(backend).toBe(via);
  // timeout ends the whole of it as Ctrl-C would.
  const child = spawn('timeout', ['-s', 'INT', '3', 'bash', '-c', text], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (output += part));
  await new Promise((resolve) => child.on('close', resolve));
  expect(output.split('\n').filter((line) => /error|invalid/i.test(line) && !line.includes('RLIMIT'))).toEqual([]);
});

/** builtin also sees skbs that are thrown away, wherever that happens. */
function xdpCounters(counters: readonly DropCounter[]): DropCounter[] {
  return addUpCounters(counters.map((counter) => ({ ...counter, cpu: 0 }))).filter(
    ({ event }) => event !== 'kfree_skb',
  );
}

async function snapshotOf(session: Awaited<ReturnType<typeof startTracing>>, total: number) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const counters = xdpCounters((await session.snapshot()).counters);
    if (counters.reduce((sum, { count }) => sum + count, 0) >= total) return counters;
    await sleep(50);
  }
  throw new Error(`never saw ${total} lost frames`);
}

/** Runs a command where setpriv is no program: another file lies over it, in a mount namespace of its own. */
const hideSetpriv = 'mount --bind /dev/null "$(command -v setpriv)" && exec "$@"';
const withoutSetpriv = ['unshare', '--mount', 'sh', '-c', hideSetpriv, 'sh'];

function fails(): never {
  throw new Error('no descriptors are left');
}

describe('a tracer that cannot begin', () => {
  it.each(backends)('leaves nothing when what is to happen first fails, %s', async (via) => {
    using path = createLossyPath(faultyObject, 'gives_up');
    const untouched = kernelState();
    await expect(startTracing(via, { ...requestFor(path), onBegin: fails })).rejects.toThrow('no descriptors are left');
    await expectNothingNew(untouched);
  });
});

describe('a tracer whose owner is killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-tracer-'));
  const script = join(folder, 'dist', 'trace-until-killed.mjs');

  beforeAll(() => {
    if (!hasProgram('npx')) return;
    // Where it looks for its programs and for koffi.
    const root = join(import.meta.dirname, '..', '..');
    for (const name of ['bpf-objects', 'node_modules']) symlinkSync(join(root, name), join(folder, name));
    const source = join(import.meta.dirname, 'support', 'trace-until-killed.ts');
    const options = ['--bundle', '--platform=node', '--format=esm', '--target=node20', '--log-level=error'];
    tool('npx', ['--no', 'esbuild', '--', source, `--outfile=${script}`, ...options]);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeEach((context) => needProgram(context, 'npx'));

  it('leaves nothing of builtin attached', async () => {
    const untouched = kernelState();
    await using owner = await startOwner('builtin');
    expect(newSince(untouched)).toContainEqual(expect.stringMatching(/^prog \d+ tracing redirect_err/));
    owner.child.kill('SIGKILL');
    await once(owner.child, 'close');
    await expectNothingNew(untouched);
  });

  it.each(tools)('%s dies with it, and Ctrl-C does not reach it before', async (via) => {
    await using owner = await startOwner(via);
    const tracers = descendants(owner.child.pid!);
    expect(tracers.map(nameOf)).toContain(via);
    for (const tracer of tracers) expect(processGroup(tracer)).not.toBe(processGroup(owner.child.pid!));
    owner.child.kill('SIGKILL');
    expect(await stillAlive(tracers)).toEqual([]);
  });

  it.each(tools)('%s dies with it also where there is no setpriv', async (via) => {
    await using owner = await startOwner(via, withoutSetpriv);
    const tracers = descendants(owner.child.pid!);
    owner.child.kill('SIGKILL');
    expect(await stillAlive(tracers)).toEqual([]);
  });

  async function startOwner(via: BackendName, wrapper: readonly string[] = []) {
    const [program, ...words] = [...wrapper, process.execPath, script, via];
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    await untilLine(child, 'stdout', /^ready/);
    return {
      child,
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL');
      },
    };
  }
});

function descendants(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const children = text.split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
}

function processGroup(pid: number): number {
  // Fields after the command's name in parentheses: state, parent, process group.
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[2]);
}

/** Those of the processes that do not end within ten seconds. */
async function stillAlive(pids: readonly number[]): Promise<number[]> {
  for (let attempt = 0; attempt < 200 && pids.some(isAlive); attempt += 1) await sleep(50);
  return pids.filter(isAlive);
}

/** A zombie has ended; nobody may be there to collect it. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.startsWith('Z');
  } catch {
    return false;
  }
}
