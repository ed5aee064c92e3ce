import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { builtinPath } from '../support/builtin-path.ts';
import {
  commandEnvironment,
  type CommandResult,
  PinFolder,
  startXdpctl,
  xdpctl,
  xdpctlPath,
} from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { needProgram } from '../support/need.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { tool } from '../support/tool.ts';
import { createWorld } from '../support/world.ts';

let pins: PinFolder;
let folder: TemporaryFolder;

beforeEach(() => {
  pins = new PinFolder();
  folder = new TemporaryFolder();
  tool('bpftool', ['map', 'create', pins.pin('map'), ...'type hash key 4 value 4 entries 1 name m'.split(' ')]);
  tool('bpftool', ['prog', 'load', builtinPath('pass'), pins.pin('prog')]);
});

afterEach(() => {
  pins[Symbol.dispose]();
  folder[Symbol.dispose]();
});

/** Commands that make a pin, at a path that is appended. */
const makers = (): string[][] => [
  ['map', 'create', '@', 'type', 'hash', 'key', '4', 'value', '4', 'entries', '1', 'name', 'new'],
  ['map', 'pin', pins.pin('map'), '@'],
  ['prog', 'pin', pins.pin('prog'), '@'],
  ['prog', 'load', builtinPath('pass'), '@'],
];

function at(words: readonly string[], path: string): string[] {
  return words.map((word) => (word === '@' ? path : word));
}

function expectRefused(words: readonly string[], exit: number, message: RegExp | string): CommandResult {
  const result = xdpctl(words);
  expect({ words, status: result.status, stdout: result.stdout }).toEqual({ words, status: exit, stdout: '' });
  expect(result.stderr).toMatch(message);
  return result;
}

describe('a symbolic link', () => {
  it.each([
    ['to nothing', () => pins.pin('nothing')],
    ['to a file', () => folder.file('precious')],
    ['to a pin', () => pins.pin('map')],
    ['to a directory', () => pins.path],
  ])('%s in the place of a pin is not followed', (_what, target) => {
    writeFileSync(folder.file('precious'), 'precious');
    symlinkSync(target(), pins.pin('link'));
    for (const words of makers()) {
      expectRefused(at(words, pins.pin('link')), 6, 'exists already');
      expectRefused([...at(words, pins.pin('link')), '--dry-run'], 6, 'exists already');
    }
    expect(readlinkSync(pins.pin('link'))).toBe(target());
    expect(readFileSync(folder.file('precious'), 'utf8')).toBe('precious');
    expect(readdirSync(pins.path).toSorted()).toEqual(['link', 'map', 'prog']);
  });

  it('in the place of the directory leads no pin out of bpffs', () => {
    symlinkSync(folder.path, pins.pin('out'));
    symlinkSync('nowhere', pins.pin('dangling'));
    for (const words of makers()) {
      expectRefused(at(words, pins.pin('out/new')), 2, /not (?:in|below) a (?:mounted )?bpffs/);
      expectRefused(at(words, pins.pin('dangling/new')), 3, 'does not exist');
    }
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('is no pin that could be removed, and neither is a file', () => {
    symlinkSync(pins.pin('map'), pins.pin('link'));
    symlinkSync(pins.pin('map'), folder.file('link'));
    writeFileSync(folder.file('file'), 'file');
    expectRefused(['map', 'unpin', pins.pin('link')], 2, /is a symbolic link, not a pin\nhint: .*rm /);
    expectRefused(['map', 'unpin', folder.file('link')], 2, 'is not in a bpffs');
    expectRefused(['map', 'unpin', folder.file('file')], 2, /an ordinary file(?: is no pin|, not a pin)/);
    expectRefused(['prog', 'unpin', pins.pin('map')], 2, 'is a pinned map');
    expectRefused(['map', 'unpin', pins.path], 2, 'directory');
    expect(readdirSync(pins.path).toSorted()).toEqual(['link', 'map', 'prog']);
    expect(readdirSync(folder.path).toSorted()).toEqual(['file', 'link']);
    // A directory on the way is as good as another.
    symlinkSync(pins.path, folder.file('way'));
    expect(xdpctl(['map', 'unpin', folder.file('way/map')])).toMatchObject({ status: 0, stderr: '' });
    expect(xdpctl(['prog', 'unpin', pins.pin('prog')])).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(pins.path)).toEqual(['link']);
  });
});

describe('a path with dots', () => {
  it.each(['..', '.', '../x', 'a/../x', '...', 'a.b'])('%s is refused before anything is made', (name) => {
    for (const words of makers()) expectRefused(at(words, `${pins.path}/${name}`), 2, /no '\.' in a name/);
    expect(readdirSync(pins.path).toSorted()).toEqual(['map', 'prog']);
  });
});

/** Runs a script in a mount namespace of its own, in which bpffs is mounted anew. */
function privately(options: string, script: string): ReturnType<typeof spawnSync> & { readonly stderr: string } {
  const words = ['-m', 'sh', '-c', `mount -t bpf -o ${options} bpf /sys/fs/bpf && ${script}`, 'sh', xdpctlPath];
  return spawnSync('unshare', words, { encoding: 'utf8', env: commandEnvironment() });
}

describe('the directory of our own pins', () => {
  it.each([
    ['leads elsewhere', 'mode=1777', 'ln -s /sys/fs/bpf/other /sys/fs/bpf/xdpctl && mkdir /sys/fs/bpf/other'],
    ['is a stranger’s', 'mode=1777', 'mkdir -m 700 /sys/fs/bpf/xdpctl && chown 65534 /sys/fs/bpf/xdpctl'],
    ['is open to all', 'mode=1777', 'mkdir /sys/fs/bpf/xdpctl && chmod 777 /sys/fs/bpf/xdpctl'],
    ['can be exchanged', 'mode=700', 'mkdir -m 700 /sys/fs/bpf/xdpctl && chown 65534 /sys/fs/bpf'],
  ])('is not used when it %s', (_what, mode, script) => {
    for (const words of [
      'redirect attach lo --to lo --yes',
      'redirect detach lo',
      'redirect export',
      'redirect stats',
    ]) {
      const { status, stderr } = privately(mode, `${script} && "$1" ${words}`);
      expect({ words, status, stderr }).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('keeps its pins') as string,
      });
    }
  });

  it('is used when everybody may write beside it, but not exchange it', () => {
    const { status, stderr } = privately('mode=1777', '"$1" redirect export && "$1" redirect detach lo');
    expect({ status, stderr }).toMatchObject({
      status: 3,
      stderr: expect.not.stringContaining('keeps its pins') as string,
    });
  });
});

describe('the file of xsk bind --write', () => {
  it('is never what a symbolic link to a file leads to', async () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a, b } = world.veth({ namespace }, { namespace });
    const words = ['--netns', namespace, 'xsk', 'bind', a.name, '--queue', '0', '--attach', '--mode', 'generic'];
    const precious = folder.file('precious');
    writeFileSync(precious, 'precious');
    symlinkSync(precious, folder.file('link'));
    symlinkSync(folder.file('none'), folder.file('dangling'));
    for (const more of [[], ['--overwrite'], ['--dry-run']]) {
      expectRefused(
        [...words, '--write', folder.file('link'), ...more],
        6,
        `is a symbolic link (ELOOP)\nhint: name what it leads to: ${precious}`,
      );
      expectRefused([...words, '--write', folder.file('dangling'), ...more], 6, 'is a symbolic link');
    }
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(existsSync(folder.file('none'))).toBe(false);
    // A link to a FIFO overwrites nothing.
    tool('mkfifo', [folder.file('fifo')]);
    symlinkSync(folder.file('fifo'), folder.file('way'));
    const reader = startReader(folder.file('fifo'));
    await using command = startXdpctl([...words, '--write', folder.file('way'), '--count', '1']);
    await command.ready();
    sendFrames(b, { count: 1 });
    expect(await command.result()).toMatchObject({ status: 0 });
    expect((await reader).subarray(0, 4).toString('hex')).toBe('0a0d0d0a');
  });
});

describe('the file of debug record', () => {
  it('is never what a symbolic link leads to, or what is no file', (context) => {
    needProgram(context, 'perf');
    const precious = folder.file('precious');
    writeFileSync(precious, 'precious');
    symlinkSync(precious, folder.file('link'));
    symlinkSync(folder.file('none'), folder.file('dangling'));
    tool('mknod', [folder.file('null'), 'c', '1', '3']);
    mkdirSync(folder.file('folder'));
    const words = ['debug', 'record', '--duration', '10ms', '-o'];
    for (const more of [[], ['--force']]) {
      expectRefused(
        [...words, folder.file('link'), ...more],
        6,
        `is a symbolic link\nhint: name what it leads to: ${precious}`,
      );
      expectRefused([...words, folder.file('dangling'), ...more], 6, 'is a symbolic link');
      expectRefused([...words, folder.file('null'), ...more], 2, 'is no file that could be replaced');
      expectRefused([...words, folder.file('folder'), ...more], 2, 'is no file that could be replaced');
    }
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(lstatSync(folder.file('null')).isCharacterDevice()).toBe(true);
    expect(readdirSync(folder.path).toSorted()).toEqual(['dangling', 'folder', 'link', 'null', 'precious']);
  });

  it('is not written elsewhere by somebody who exchanges it meanwhile', async (context) => {
    needProgram(context, 'perf');
    const precious = folder.file('precious');
    writeFileSync(precious, 'precious');
    mkdirSync(folder.file('open'));
    await using command = startXdpctl(['debug', 'record', '-o', folder.file('open/lost.data')]);
    await command.ready();
    const [part = ''] = readdirSync(folder.file('open'));
    expect(part).toMatch(/^\.lost\.data\.\d+$/);
    renameSync(folder.file(`open/${part}`), folder.file('taken'));
    symlinkSync(precious, folder.file(`open/${part}`));
    const result = await command.stop();
    expect(result).toMatchObject({ status: 6, stdout: '' });
    expect(result.stderr).toContain('somebody has exchanged');
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(statSync(folder.file('taken')).size).toBeGreaterThan(0);
    expect(readdirSync(folder.file('open'))).toEqual([part]);
    rmSync(folder.file('taken'));
  });
});

/** All that is written to a FIFO. */
function startReader(path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    import('node:fs').then(
      ({ readFile }) => readFile(path, (error, data) => (error === null ? resolve(data) : reject(error))),
      reject,
    );
  });
}
