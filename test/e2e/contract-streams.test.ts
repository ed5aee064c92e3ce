import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { commandEnvironment, CommandResult, PinFolder, xdpctl, xdpctlPath } from '../support/command.ts';
import { peekEntry } from '../support/peek.ts';
import { fixtureName } from '../support/run-id.ts';
import { tool } from '../support/tool.ts';

let pins: PinFolder;
let folder: string;

beforeEach(() => {
  pins = new PinFolder();
  folder = mkdtempSync(join(tmpdir(), fixtureName()));
});

afterEach(() => {
  pins[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function createMap(type: string, entries: number): string {
  const path = pins.pin('m');
  tool('bpftool', ['map', 'create', path, 'type', type, ...`key 4 value 4 entries ${entries} name m`.split(' ')]);
  return path;
}

/** Runs a line of the shell in which `$0` is the command and `$1` the map. */
function shell(line: string, map = ''): CommandResult {
  return xdpctl([map], { wrapper: ['bash', '-c', line] });
}

const full = 'error: standard output cannot be written (ENOSPC)\n';

describe('stdout that cannot be written', () => {
  it.each(['--version', 'version', '--help', 'help map', 'map show $1', '-p map show $1'])('%s', (words) => {
    const path = createMap('array', 4);
    const { status, stderr } = shell(`"$0" ${words} > /dev/full`, path);
    const json = words.startsWith('-p');
    expect({ status, stderr: json ? JSON.parse(stderr) : stderr }).toEqual({
      status: 1,
      stderr: json
        ? {
            error: {
              exit: 1,
              message: 'standard output cannot be written',
              errno: 28,
              errnoName: 'ENOSPC',
              operation: 'write',
            },
          }
        : full,
    });
  });

  it.each(['', '-j', '-p'])('ends a large dump: %s', (form) => {
    const { status, stderr } = shell(`"$0" ${form} map dump $1 > /dev/full`, createMap('array', 100_000));
    expect(status).toBe(1);
    expect(stderr).toContain('standard output cannot be written');
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it('does not keep a batch from finishing its work', () => {
    const path = createMap('array', 4);
    const file = join(folder, 'batch');
    writeFileSync(file, `map lookup ${path} key 0\nmap update ${path} key 1 value 7\n`);
    const { status, stderr } = shell(`"$0" batch file ${file} > /dev/full`);
    expect({ status, stderr }).toEqual({ status: 1, stderr: full });
    expect(peekEntry(path, 1)).toBe(7);
  });
});

describe('stderr that cannot be written', () => {
  it.each([
    ['map show nosuch-map', 3],
    ['map show $1 extra', 2],
    ['map show $1', 0],
    ['map update $1 key 1 value 7 noexist', 6],
  ])('leaves the exit code of %s', (words, exit) => {
    expect(shell(`"$0" ${words} 2> /dev/full`, createMap('array', 4))).toMatchObject({ status: exit, stderr: '' });
  });
});

describe('a stream that is closed', () => {
  it.each([
    ['map dump $1 all >&-', 0],
    ['map show nosuch-map 2>&-', 3],
    ['batch file - <&-', 0],
  ])('is no failure: %s', (words, exit) => {
    expect(shell(`"$0" ${words}`, createMap('devmap', 4))).toMatchObject({ status: exit, stderr: '' });
  });
});

/** What a command prints where stdin, stdout and stderr are one. */
function onTerminal(words: string, env: Readonly<Record<string, string>> = {}): string {
  return tool('script', ['-qec', `${xdpctlPath} ${words}; true`, '/dev/null'], {
    env: { ...commandEnvironment(), TERM: 'xterm', NO_COLOR: '', ...env },
  });
}

describe('on a terminal', () => {
  const red = '\u001b[31m';

  it.each<[words: string, env: Record<string, string>, colored: boolean]>([
    ['map show nosuchmap', {}, true],
    ['map show nosuchmap', { NO_COLOR: '1' }, false],
    ['map show nosuchmap', { TERM: 'dumb' }, false],
    ['map show nosuchmap', { TERM: 'dumb', FORCE_COLOR: '1' }, true],
    ['map show nosuchmap', { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['map show nosuchmap --color never', { FORCE_COLOR: '1' }, false],
    ['map show nosuchmap --color always', { NO_COLOR: '1' }, true],
  ])('%s, %j has colour: %s', (words, env, colored) => {
    const text = onTerminal(words, env);
    expect(text).toContain("there is no map named 'nosuchmap'");
    expect(text.includes(red)).toBe(colored);
  });

  it('a short table has its lines drawn, and in a pipe it has none', () => {
    const path = createMap('devmap', 4);
    expect(onTerminal(`map dump ${path} all`)).toContain('│');
    expect(onTerminal(`map dump ${path} all | cat`)).not.toContain('│');
    expect(onTerminal(`-j map dump ${path} all`)).not.toMatch(/│|\u001b/);
  });
});

/** A command whose stdout is a pipe that this process keeps open and does not read. */
class UnreadCommand implements Disposable {
  readonly result: Promise<CommandResult>;
  readonly #child: ChildProcess;
  readonly #pipe: number;
  readonly #path: string;

  /** @param filled whether the pipe is full before the command writes */
  constructor(words: readonly string[], filled: boolean) {
    const path = join(folder, 'pipe');
    tool('mkfifo', [path]);
    this.#path = path;
    this.#pipe = openSync(path, constants.O_RDWR);
    if (filled) tool('bash', ['-c', 'dd if=/dev/zero of="$0" bs=4096 oflag=nonblock 2> /dev/null || true', path]);
    this.#child = spawn(xdpctlPath, words, { stdio: ['ignore', this.#pipe, 'ignore'], env: commandEnvironment() });
    this.result = new Promise((resolve) => {
      this.#child.on('close', (status, signal) => resolve(new CommandResult(status, signal, '', '')));
    });
  }

  /** Resolves when the command sleeps in write(), because the pipe is full. */
  async untilStuck(): Promise<void> {
    while (!isWriting(this.#child.pid)) await sleep(5);
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
    closeSync(this.#pipe);
    rmSync(this.#path);
  }
}

/** Whether a thread of the process waits for room in a pipe. */
function isWriting(pid: number | undefined): boolean {
  const states = tool('bash', ['-c', 'cat /proc/$0/task/*/wchan 2> /dev/null; true', String(pid)]);
  return /pipe_write/.test(states);
}

describe('a reader that does not read', () => {
  it.each([
    ['a large dump', ['map', 'dump'], 'array', false],
    ['a large dump as JSON', ['-j', 'map', 'dump'], 'array', false],
    ['an export', ['map', 'export'], 'array', false],
    ['a short answer into a pipe that is full', ['map', 'show'], 'array', true],
  ])('does not keep a signal from ending %s', async (_what, words, type, filled) => {
    const path = createMap(type, 100_000);
    using command = new UnreadCommand([...words, path], filled);
    await command.untilStuck();
    command.interrupt();
    expect(await command.result).toMatchObject({ signal: 'SIGINT' });
  });

  it('has a second before a signal ends the command, but a second signal ends it at once', async () => {
    const path = createMap('array', 100_000);
    const patience = async (signals: number): Promise<number> => {
      using command = new UnreadCommand(['map', 'dump', path], false);
      await command.untilStuck();
      const begin = performance.now();
      for (let sent = 0; sent < signals; sent += 1) {
        command.interrupt();
        // Signals of one kind that wait together are one.
        await sleep(100);
      }
      expect(await command.result).toMatchObject({ signal: 'SIGINT' });
      return performance.now() - begin;
    };
    expect(await patience(1)).toBeGreaterThanOrEqual(1000);
    expect(await patience(2)).toBeLessThan(1000);
  });
});
