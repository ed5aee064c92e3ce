import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { BackendFailure } from '../../src/tracing/backend.ts';
import { bpftraceBackend } from '../../src/tracing/bpftrace.ts';
import { perfBackend } from '../../src/tracing/perf.ts';
import { startTracing } from '../../src/tracing/select.ts';
import { deathBinding, findProgram, TracerProcess } from '../../src/tracing/tracer-process.ts';
import { recordedBpftrace, recordedCounters, recordedEvents } from './recorded.ts';

/* Programs called bpftrace and perf that behave as real ones can, but rarely do. */

const request = { filter: {}, events: recordedEvents };
const path = process.env['PATH'];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xdpctl-tools-'));
  process.env['PATH'] = `${folder}:${path}`;
});

afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true, force: true });
});

function install(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** A bpftrace that answers --version and then runs the script. */
function installBpftrace(script: string, version = 'bpftrace v0.17.0'): void {
  install('bpftrace', `if [ "$1" = --version ]; then echo '${version}'; exit; fi\n${script}`);
}

const ready = `echo '{"type": "printf", "data": "ready\\\\n"}'`;
/** Waits as bpftrace does for its workload, and begins to print. */
const untilEnd = `cat > /dev/null; echo '{"type": "printf", "data": "end\\\\n"}'`;
const memlock = `echo "ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace." >&2`;

function printMap(count: number): string {
  return `echo '{"type": "map", "data": {"@exception": {"7,1,0": ${count}}}}'`;
}

describe('bpftrace', () => {
  it('gives what it prints when it is stopped', async () => {
    writeFileSync(join(folder, 'recorded'), recordedBpftrace());
    installBpftrace(`${memlock}; ${ready}; ${untilEnd}; cat ${folder}/recorded`);
    await using session = await startTracing('bpftrace', request);
    const result = await session.stop();
    expect(result).toEqual({ counters: recordedCounters, flows: [], undercount: [], end: { why: 'asked' } });
    await expect(session.ended).resolves.toEqual({ why: 'asked' });
  });

  it('is too old', async () => {
    installBpftrace('exit 1', 'bpftrace v0.9.4');
    await expect(startTracing('bpftrace', request)).rejects.toMatchObject({
      kind: 'unsupported',
      message: 'cannot trace with bpftrace: 0.9 is too old, 0.11 is needed',
    });
  });

  it('cannot attach: the reason is what it says, not the complaint about RLIMIT_MEMLOCK', async () => {
    installBpftrace(`${memlock}; echo 'stdin:1:1-24: ERROR: tracepoint not found: xdp:nonesuch' >&2; exit 1`);
    await expect(startTracing('bpftrace', request)).rejects.toMatchObject({
      kind: 'unsupported',
      message: 'cannot trace with bpftrace: stdin:1:1-24: ERROR: tracepoint not found: xdp:nonesuch',
    });
  });

  it('is refused', async () => {
    installBpftrace('echo "ERROR: bpftrace currently only supports running as the root user." >&2; exit 1');
    await expect(startTracing('bpftrace', request)).rejects.toMatchObject({ kind: 'permission' });
  });

  it('says nothing and ends', async () => {
    installBpftrace('exit 3');
    await expect(startTracing('bpftrace', request)).rejects.toMatchObject({
      message: 'cannot trace with bpftrace: ended with exit code 3',
    });
  });

  it('dies while it traces: that is a failure, and no clean bill', async () => {
    installBpftrace(`${ready}; echo 'ERROR: Error loading program' >&2; exit 1`);
    await using session = await startTracing('bpftrace', request);
    await expect(session.ended).resolves.toMatchObject({ why: 'failed' });
    await expect(session.stop()).rejects.toMatchObject({
      kind: 'refused',
      message: 'bpftrace ended too early: ERROR: Error loading program',
    });
  });

  it('ends by itself as if all were well: also a failure', async () => {
    installBpftrace(`${ready}; exit 0`);
    await using session = await startTracing('bpftrace', request);
    await session.ended;
    await expect(session.stop()).rejects.toMatchObject({ message: 'bpftrace ended too early' });
  });

  it('fails at the end', async () => {
    installBpftrace(`${ready}; ${untilEnd}; echo "ERROR: failed to print" >&2; exit 1`);
    await using session = await startTracing('bpftrace', request);
    await expect(session.stop()).rejects.toMatchObject({ message: 'bpftrace ended too early: ERROR: failed to print' });
  });

  it('stops in the middle of what it prints: no answer', async () => {
    installBpftrace(`${ready}; cat > /dev/null; printf '{"type": "map", "data": {"@exception": '`);
    await using session = await startTracing('bpftrace', request);
    await expect(session.stop()).rejects.toMatchObject({ message: 'bpftrace ended too early' });
  });

  it('has no room for more keys: said, not hidden', async () => {
    const keys = Array.from({ length: 16_384 }, (_, index) => `"${index},1,0": 1`).join();
    writeFileSync(join(folder, 'full'), `{"type": "map", "data": {"@exception": {${keys}}}}\n`);
    installBpftrace(`${ready}; ${untilEnd}; cat ${folder}/full`);
    await using session = await startTracing('bpftrace', request);
    const { undercount } = await session.stop();
    expect(undercount).toEqual([expect.stringContaining('more than 16384 different kinds of loss')]);
  });

  it('is stopped when the rate is too high', async () => {
    const tick = `echo '{"type": "printf", "data": "tick\\\\n"}'`;
    const storm = `sleep 0.6; ${printMap(5000)}; ${tick}`;
    installBpftrace(`${ready}; ${storm}; ${untilEnd}; ${printMap(6000)}`);
    await using session = await startTracing('bpftrace', { ...request, maxRate: 1000 });
    expect(await session.ended).toMatchObject({ why: 'max-rate' });
    const result = await session.stop();
    expect(result.counters).toMatchObject([{ count: 6000 }]);
    expect(result.end).toMatchObject({ why: 'max-rate' });
  });

  it('is not waited for when the start is interrupted', async () => {
    installBpftrace('sleep 60');
    const interrupt = new AbortController();
    const starting = startTracing('bpftrace', { ...request, signal: interrupt.signal });
    interrupt.abort('SIGINT');
    await expect(starting).rejects.toBe('SIGINT');
  });

  it('is stopped in order when a signal comes later', async () => {
    writeFileSync(join(folder, 'recorded'), recordedBpftrace());
    installBpftrace(`${ready}; ${untilEnd}; cat ${folder}/recorded`);
    const interrupt = new AbortController();
    await using session = await startTracing('bpftrace', { ...request, signal: interrupt.signal });
    interrupt.abort('SIGINT');
    await session.ended;
    expect((await session.stop()).counters).toEqual(recordedCounters);
  });
});

describe('perf', () => {
  it('does not know --synth: tried without', async () => {
    install(
      'perf',
      `case "$*" in *--synth*) echo "Error: unknown option \\\`synth'" >&2; exit 129;; esac; echo 'no --synth' >&2; exit 1`,
    );
    await expect(startTracing('perf', request)).rejects.toMatchObject({
      message: 'cannot trace with perf: no --synth',
    });
  });

  it('is too old', async () => {
    install('perf', `echo "Error: unknown option \\\`control'" >&2; exit 129`);
    await expect(startTracing('perf', request)).rejects.toMatchObject({
      message: 'cannot trace with perf: too old, 5.10 is needed (record --control)',
      hint: expect.stringContaining('apt install linux-perf') as string,
    });
  });

  it('writes something else', async () => {
    install('perf', `echo ack >&4; echo 'this is not perf.data at all'; sleep 60`);
    await using session = await startTracing('perf', request);
    expect(await session.ended).toMatchObject({ why: 'failed' });
    await expect(session.stop()).rejects.toThrow('not the output of perf record');
  });

  it('dies while it traces', async () => {
    install('perf', `printf 'ack\\n' >&4; echo 'failed to mmap' >&2; exit 255`);
    await using session = await startTracing('perf', request);
    await session.ended;
    await expect(session.stop()).rejects.toMatchObject({ message: 'perf ended too early: failed to mmap' });
  });

  it('is refused', async () => {
    install('perf', `echo 'Error: Permission error mapping pages.' >&2; exit 255`);
    await expect(startTracing('perf', request)).rejects.toMatchObject({ kind: 'permission' });
  });
});

describe('auto', () => {
  it('goes on to perf, and to nothing', async () => {
    installBpftrace('echo "ERROR: no BTF" >&2; exit 1');
    install('perf', 'echo "Error: cannot open" >&2; exit 1');
    const skipped: string[] = [];
    const onSkipped = (failure: BackendFailure): void => void skipped.push(`${failure.backend}: ${failure.message}`);
    const starting = startTracing('auto', request, onSkipped, {}, [bpftraceBackend, perfBackend]);
    await expect(starting).rejects.toMatchObject({
      message: 'no tracer works here (bpftrace: ERROR: no BTF; perf: Error: cannot open)',
    });
    expect(skipped).toEqual(['bpftrace: ERROR: no BTF']);
  });
});

describe('a tracer process', () => {
  it('is found in PATH, and in the folders of administrators', () => {
    install('only-here', '');
    expect(findProgram('only-here')).toBe(join(folder, 'only-here'));
    process.env['PATH'] = '';
    expect(findProgram('sh')).toMatch(/\/sh$/);
    expect(findProgram('only-here')).toBeUndefined();
  });

  it('is bound to our life where setpriv can do it', () => {
    expect(deathBinding([folder])).toEqual([]);
    install('setpriv', 'echo "busybox: -d --nnp"');
    expect(deathBinding([folder])).toEqual([]);
    install('setpriv', 'echo "  --pdeathsig <signal>"');
    expect(deathBinding([folder])).toEqual([join(folder, 'setpriv'), '--pdeathsig', 'KILL', '--']);
  });

  it('is killed when it is disposed of, and keeps the beginning of what it said', async () => {
    install('chatter', 'while :; do echo 0123456789 >&2; done');
    const tracer = new TracerProcess([join(folder, 'chatter')], { stdio: ['ignore', 'pipe', 'pipe'] });
    await new Promise((resolve) => tracer.child.stderr?.once('data', resolve));
    await tracer[Symbol.asyncDispose]();
    expect(tracer.stderr.startsWith('0123456789\n')).toBe(true);
    expect(tracer.stderr.length).toBeLessThanOrEqual(16_384);
    expect(await tracer.exit).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
