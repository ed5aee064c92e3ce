import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { schemasOf } from '../../src/cli/schemas.ts';
import { createLossyPath, faultyObject, type LossyPath } from '../kernel/support/lossy-path.ts';
import { startXdpctl, xdpctl } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { schemaProblems } from '../support/schema.ts';
import { tool } from '../support/tool.ts';

const schemas = await schemasOf('debug');

interface Events {
  readonly backend: string;
  readonly events: readonly { readonly event: string; readonly count: number }[];
}

describe('debug events', () => {
  it('counts the tracepoints of this kernel, through each backend alike', async () => {
    using path = createLossyPath(faultyObject, 'gives_up');
    await using builtin = startXdpctl(['-j', 'debug', 'events']);
    await using bpftrace = startXdpctl(['-j', 'debug', 'events', '--via', 'bpftrace']);
    await using perf = startXdpctl(['-j', 'debug', 'events', '--via', 'perf']);
    const all = [builtin, bpftrace, perf];
    for (const each of all) await each.ready();
    sendFrames(path.source, { count: 150 });
    const reports: Events[] = [];
    for (const each of all) reports.push((await each.stop()).json() as Events);
    expect(reports.map(({ backend }) => backend)).toEqual(['builtin', 'bpftrace', 'perf']);
    const kernel = readdirSync('/sys/kernel/tracing/events/xdp', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `xdp:${name}`);
    for (const report of reports) {
      expect(report.events.map(({ event }) => event).toSorted()).toEqual(kernel.toSorted());
      // Others may lose frames as well, elsewhere on this machine.
      const exceptions = report.events.find(({ event }) => event === 'xdp:xdp_exception');
      expect(exceptions?.count).toBeGreaterThanOrEqual(150);
      expect(schemaProblems(schemas['events']!, report)).toEqual([]);
    }
  });
});

/** The records of a file of perf's, a line each. */
function records(file: string): string[] {
  return tool('perf', ['script', '-i', file, '-F', 'event,trace']).split('\n');
}

describe('debug record', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-record-'));
  let path: LossyPath;

  beforeAll(() => {
    path = createLossyPath(faultyObject, 'gives_up');
  });
  afterAll(() => {
    path[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  /** Records of the file that are about the path. */
  function recorded(file: string): number {
    return records(file).filter(
      (line) => line.includes('xdp_exception') && line.includes(`ifindex=${path.ingress.ifindex}`),
    ).length;
  }

  it('writes what perf reads, and ends in order by a signal', async () => {
    const file = join(folder, 'lost.data');
    await using running = startXdpctl(['-j', 'debug', 'record', '-o', file]);
    await running.ready();
    expect(running.stderr).not.toContain('xdp_redirect_map_err');
    sendFrames(path.source, { count: 60 });
    const result = await running.stop('SIGTERM');
    expect(result.status).toBe(0);
    expect(result.json()).toMatchObject({ file, events: expect.arrayContaining(['xdp:xdp_exception']) as string[] });
    expect(schemaProblems(schemas['record']!, result.json())).toEqual([]);
    expect(recorded(file)).toBe(60);
    expect(readdirSync(folder)).toEqual(['lost.data']);
  });

  it('replaces no file unasked', () => {
    const file = join(folder, 'precious');
    writeFileSync(file, 'mine');
    const refused = xdpctl(['debug', 'record', '--duration', '100ms', '-o', file]);
    expect(refused).toMatchObject({ status: 6, stdout: '' });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(xdpctl(['debug', 'record', '--duration', '100ms', '--force', '-o', file]).status).toBe(0);
    expect(recorded(file)).toBe(0);
  });

  it('ends when the file is as large as it may be, and says so', async () => {
    const file = join(folder, 'full.data');
    await using running = startXdpctl(['-j', 'debug', 'record', '--max-size', '1', '-o', file]);
    await running.ready();
    sendFrames(path.source, { count: 40_000 });
    const result = await running.result();
    expect(result.json()).toMatchObject({ full: true });
    expect(result.jsonErrors()).toMatchObject([{ warning: { message: expect.stringContaining('1 MiB') as string } }]);
    // Others may have filled it with what they lose; it is whole all the same.
    expect(records(file).filter((line) => line.includes('xdp:xdp_')).length).toBeGreaterThan(1000);
    const { bytes } = result.json() as { bytes: number };
    expect(bytes).toBe(statSync(file).size);
    expect(bytes).toBeLessThan(2 ** 21);
  });

  it('leaves nothing when it cannot write', () => {
    const words = ['debug', 'record', '--duration', '100ms', '-o'];
    expect(xdpctl([...words, join(folder, 'none', 'x')]).status).toBe(3);
    expect(xdpctl(words.slice(0, -1)).status).toBe(2);
    expect(xdpctl([...words, join(folder, 'x'), '--max-size', '0']).status).toBe(2);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
