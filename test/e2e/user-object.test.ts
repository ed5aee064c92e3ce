import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { builtinPath } from '../support/builtin-path.ts';
import { compileBpf } from '../support/clang.ts';
import { commandEnvironment, PinFolder, xdpctl, xdpctlPath } from '../support/command.ts';
import { expectNothingNew, kernelState, type KernelState } from '../support/leaks.ts';
import { needProgram } from '../support/need.ts';
import { createPathWorld, type PathWorld } from '../support/path-world.ts';
import { fixtureName } from '../support/run-id.ts';

/*
 * libbpf in a process of its own that crashes, or is stopped. strace makes that happen at a certain system call, which
 * of the processes here only the one that reads the file makes: it sends descriptors when all is loaded.
 */

let folder: string;
let pins: PinFolder;
let untouched: KernelState;
/** A file with a map that libbpf itself pins, and where. */
let pinning: string;
let madeByLibbpf: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), fixtureName()));
  const name = fixtureName();
  madeByLibbpf = `/sys/fs/bpf/${name}`;
  pinning = compileBpf(
    folder,
    'pinning',
    `struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} ${name} SEC(".maps");
SEC("xdp") int one(struct xdp_md *ctx) { __u32 key = 0; return bpf_map_lookup_elem(&${name}, &key) ? 2 : 1; }`,
  );
});

beforeEach(() => {
  pins = new PinFolder();
  untouched = kernelState();
});

afterEach(() => pins[Symbol.dispose]());
afterAll(() => rmSync(folder, { recursive: true }));

/** The words that make the process that reads the file crash once it has loaded everything. */
const crashing = ['strace', '-f', '-qqq', '-o', '/dev/null', '-e', 'inject=sendmsg:signal=SEGV:when=1'];

describe('libbpf that crashes when a file is loaded', () => {
  it('is an error, and nothing that it made is left', async (context) => {
    needProgram(context, 'strace');
    const words = ['prog', 'load', pinning, pins.pin('one'), 'pinmaps', pins.pin('maps')];
    const result = xdpctl(words, { wrapper: crashing });
    expect(result).toMatchObject({ status: 1, signal: null, stdout: '' });
    expect(result.stderr).toBe(
      `error: libbpf crashes (SIGSEGV) when it loads ${pinning}\n` +
        'hint: the file is damaged, or made to do harm: compile it anew; a newer libbpf may say what is wrong with it\n',
    );
    expect(existsSync(madeByLibbpf)).toBe(false);
    expect(readdirSync(pins.path)).toEqual([]);
    await expectNothingNew(untouched);
  });

  it('is an error object with -j, and one line of a batch that goes on', async (context) => {
    needProgram(context, 'strace');
    const lines = [
      `prog load ${builtinPath('pass')} ${pins.pin('bad')}`,
      `map create ${pins.pin('good')} type hash key 4 value 4 entries 1`,
    ];
    const result = xdpctl(['-j', 'batch', 'file', '-', '--keep-going'], {
      wrapper: crashing,
      input: `${lines.join('\n')}\n`,
    });
    expect(result.status).toBe(1);
    expect(result.jsonErrors()).toMatchObject([
      { error: { exit: 1, operation: 'object load', batch: { line: 1 } } },
      { error: { exit: 1 } },
    ]);
    expect(readdirSync(pins.path)).toEqual(['good']);
    pins[Symbol.dispose]();
    await expectNothingNew(untouched);
  });

  it('leaves a redirect as it was', async (context) => {
    needProgram(context, 'strace');
    using world: PathWorld = createPathWorld();
    const { router, ingress, egress } = world;
    const before = kernelState();
    const words = ['--netns', router, 'redirect', 'attach', ingress.name, '--object', builtinPath('redirect_devmap')];
    const targets = ['--to', egress.name, '--key', '0'];
    const result = xdpctl([...words, ...targets], { wrapper: crashing });
    expect(result).toMatchObject({ status: 1, signal: null, stdout: '' });
    expect(result.stderr).toContain('libbpf crashes (SIGSEGV) when it loads');
    expect(xdpctl(['-j', '--netns', router, 'redirect', 'export']).json()).toMatchObject({ redirects: [] });
    await expectNothingNew(before);
    expect(xdpctl([...words, ...targets])).toMatchObject({ status: 0 });
    expect(xdpctl(['--netns', router, 'redirect', 'detach', ingress.name])).toMatchObject({ status: 0 });
    await expectNothingNew(before);
  });
});

describe('a signal while libbpf loads a file', () => {
  it.for(['SIGINT', 'SIGTERM'] as const)('%s ends the command, and nothing is left', async (signal, context) => {
    needProgram(context, 'strace');
    // The process that loads stops when everything is loaded, so that there is time for the signal.
    const held = ['-qqq', '-f', '-o', '/dev/null', '-e', 'inject=sendmsg:signal=STOP'];
    const child = spawn('strace', [...held, xdpctlPath, 'prog', 'load', pinning, pins.pin('one')], {
      detached: true,
      env: commandEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<NodeJS.Signals | null>((resolve) => {
      child.on('close', (_code, reason) => resolve(reason));
    });
    while (!existsSync(madeByLibbpf)) await sleep(10);
    // As a terminal does it: all processes of the group.
    const send = (each: NodeJS.Signals): boolean => process.kill(-(child.pid ?? 0), each);
    send(signal);
    // More than once: the process may stop only now, and before it hears of the signal.
    const waking = setInterval(() => send('SIGCONT'), 50);
    child.once('exit', () => clearInterval(waking));
    expect(await ended).toBe(signal);
    expect(stderr).toBe('interrupted: nothing was changed\n');
    expect(existsSync(madeByLibbpf)).toBe(false);
    expect(readdirSync(pins.path)).toEqual([]);
    await expectNothingNew(untouched);
  });
});
