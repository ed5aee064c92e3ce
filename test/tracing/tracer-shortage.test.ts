import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { accessSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { bpftraceBackend } from '../../src/tracing/bpftrace.ts';
import { PerfRecording } from '../../src/tracing/perf-record.ts';
import { deathBinding, findProgram, TracerProcess } from '../../src/tracing/tracer-process.ts';

vi.mock('node:child_process', async (original) => {
  const real = await original<typeof import('node:child_process')>();
  return {
    ...real,
    execFile: vi.fn<typeof execFile>(real.execFile),
    spawn: vi.fn<typeof spawn>(real.spawn),
    spawnSync: vi.fn<typeof spawnSync>(real.spawnSync),
  };
});

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return { ...real, accessSync: vi.fn<typeof accessSync>(real.accessSync) };
});

/* What happens when a tracer is there, and the machine has not enough of something to start it. */

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xdpctl-shortage-'));
});

afterEach(() => {
  vi.mocked(execFile).mockReset();
  vi.mocked(spawn).mockReset();
  vi.mocked(spawnSync).mockReset();
  vi.mocked(accessSync).mockReset();
  rmSync(folder, { recursive: true, force: true });
});

function failure(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Every program is there, and setpriv cannot do what is asked of it. */
function findAll(): void {
  vi.mocked(accessSync).mockReturnValue();
  vi.mocked(spawnSync).mockReturnValue({ stdout: '' } as never);
}

describe('a tracer', () => {
  it.each(['EMFILE', 'ENFILE'])('for which there is no stream (%s) is refused', async (code) => {
    findAll();
    const real = await vi.importActual<typeof import('node:child_process')>('node:child_process');
    vi.mocked(spawn).mockImplementation(() => {
      const child = new real.ChildProcess();
      process.nextTick(() => child.emit('error', failure(code, 'spawn perf')));
      return child;
    });
    expect(() => new TracerProcess(['/bin/perf'], { stdio: 'pipe' })).toThrow(
      expect.objectContaining({ kind: 'refused', message: expect.stringContaining('no descriptors') as string }),
    );
    // What Node.js tells later must not end the process.
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('a recording', () => {
  const request = { events: ['xdp_exception'], replace: false, maxSize: 1, signal: new AbortController().signal };

  it('of which perf cannot be started is refused, and leaves no file and no descriptor', async () => {
    findAll();
    vi.mocked(spawn).mockImplementation(() => {
      throw failure('ENOMEM', 'spawn');
    });
    const before = descriptors();
    await expect(PerfRecording.start({ ...request, file: join(folder, 'data') })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/^cannot start \S+: ENOMEM$/) as string,
    });
    expect(readdirSync(folder)).toEqual([]);
    expect(descriptors()).toBe(before);
  });

  it('is refused too where Node.js tells it later', async () => {
    findAll();
    const real = await vi.importActual<typeof import('node:child_process')>('node:child_process');
    vi.mocked(spawn).mockImplementation(((_program: string, _words: string[], options: object): ChildProcess => {
      const child = real.spawn('true', [], options);
      process.nextTick(() => child.emit('error', failure('EAGAIN', 'spawn perf')));
      return child;
    }) as typeof spawn);
    await expect(PerfRecording.start({ ...request, file: join(folder, 'data') })).rejects.toMatchObject({
      backend: 'perf',
      kind: 'refused',
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('bpftrace', () => {
  it.each([
    ['EMFILE', 'spawn /usr/bin/bpftrace', 'refused'],
    ['ENOMEM', 'spawn', 'refused'],
    ['ENOEXEC', 'spawn /usr/bin/bpftrace', 'failed'],
  ])('that cannot be asked for its version for %s (%s) is %s', async (code, syscall, kind) => {
    vi.mocked(accessSync).mockReturnValue();
    vi.mocked(execFile).mockImplementation(((...words: readonly unknown[]) => {
      (words.at(-1) as (error: Error) => void)(failure(code, syscall));
    }) as unknown as typeof execFile);
    await expect(bpftraceBackend.start({ filter: {}, events: () => new Map() })).rejects.toMatchObject({
      backend: 'bpftrace',
      kind,
      message: expect.stringContaining(`--version: Error: ${syscall} ${code}`) as string,
    });
  });
});

describe('setpriv', () => {
  it('that cannot be started for lack of something is not taken for one that cannot bind', () => {
    vi.mocked(accessSync).mockReturnValue();
    vi.mocked(spawnSync).mockReturnValue({ stdout: null, error: failure('ENOMEM', 'spawnSync') } as never);
    expect(() => deathBinding(['/bin'])).toThrow(
      expect.objectContaining({ kind: 'refused', message: 'cannot start /bin/setpriv: ENOMEM' }),
    );
  });

  it('that has just gone does not bind', () => {
    vi.mocked(accessSync).mockReturnValue();
    vi.mocked(spawnSync).mockReturnValue({ stdout: null, error: failure('ENOENT', 'spawnSync') } as never);
    expect(deathBinding(['/bin'])).toEqual([]);
  });
});

describe('a program', () => {
  it.each(['ENOENT', 'ENOTDIR', 'EACCES'])('is not in a folder that says %s', (code) => {
    vi.mocked(accessSync).mockImplementation((path) => {
      if (String(path) === '/one/perf') throw failure(code, 'access');
    });
    expect(findProgram('perf', ['/one', '/two'])).toBe('/two/perf');
  });

  it.each(['ENOMEM', 'EIO'])('that cannot be looked for (%s) is not taken for absent', (code) => {
    vi.mocked(accessSync).mockImplementation(() => {
      throw failure(code, 'access');
    });
    expect(() => findProgram('perf', ['/one'])).toThrow(
      expect.objectContaining({ kind: 'refused', message: `cannot look for /one/perf: ${code}` }),
    );
  });
});
