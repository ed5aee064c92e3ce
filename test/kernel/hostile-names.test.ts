import { readdirSync, writeFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bytesOfText, textOfBytes } from '../../src/domain/byte-text.ts';
import { printable } from '../../src/output/printable.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { type CommandResult, PinFolder } from '../support/command.ts';
import { addPair, hostileNames } from '../support/hostile-names.ts';
import { runHere } from '../support/run-here.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { tool } from '../support/tool.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let namespace: string;
let pins: PinFolder;
let folder: TemporaryFolder;

beforeAll(() => {
  world = createWorld();
  namespace = world.namespace();
  pins = new PinFolder();
  folder = new TemporaryFolder();
  for (const [index, name] of hostileNames.entries()) addPair(namespace, name, `peer${index}`);
  tool('ip', ['-n', namespace, 'link', 'set', 'dev', 'peer0', 'up']);
});

afterAll(() => {
  folder[Symbol.dispose]();
  pins[Symbol.dispose]();
  world[Symbol.dispose]();
});

/** Runs a command, whose output must be fit for a terminal, or be JSON that is. */
async function run(exit: number, ...words: readonly string[]): Promise<CommandResult> {
  const result = await runHere('--netns', namespace, ...words);
  expect({ words, status: result.status, stderr: result.stderr }).toMatchObject({ words, status: exit });
  for (const text of [result.stdout, result.stderr]) {
    const line = text.split('\n').find((each) => printable(each) !== each);
    expect({ words, line }).toEqual({ words, line: undefined });
  }
  if (words[0] === '-j') {
    // Throw for what is no JSON.
    if (result.stdout !== '') result.json();
    result.jsonErrors();
  }
  return result;
}

describe.each(hostileNames.map((name, index) => ({ name, index })))('an interface called $name', ({ name, index }) => {
  const target = hostileNames[(index + 1) % hostileNames.length]!;
  const map = `hostile${index}`;

  it('is redirected, shown, checked, exported and taken off', async () => {
    tool('ip', ['-n', namespace, 'link', 'set', 'dev', `peer${index}`, 'up']);
    const attach = ['redirect', 'attach', '--to', target, '--', name];
    await run(0, ...attach);
    await run(6, ...attach);
    await run(0, 'redirect', 'attach', '--to', target, '--replace', '--dry-run', '--', name);
    for (const format of ['table', 'tree', 'dot', 'mermaid']) {
      await run(0, 'redirect', 'show', '--format', format, '--', name);
    }
    const [shown] = (await run(0, '-j', 'redirect', 'show', '--', name)).json() as [
      { ifname: string; maps: [{ entries: [{ formatted: { value: { ifname: string } } }] }] },
    ];
    expect(shown.ifname).toBe(name);
    expect(shown.maps[0].entries[0].formatted.value.ifname).toBe(target);
    await run(0, 'redirect', 'check');
    await run(0, '-j', 'redirect', 'check');
    await run(0, 'redirect', 'stats');
    await run(0, '-j', 'redirect', 'stats');
    await run(0, 'net', 'show');
    await run(0, '-j', 'net', 'show');
    const document = await run(0, 'redirect', 'export');
    expect(document.json()).toEqual({ xdpctl: 1, redirects: [{ dev: name, to: [target] }] });
    const file = folder.file('redirects.json');
    writeFileSync(file, document.stdout);
    await run(0, 'redirect', 'diff', file);
    await run(0, 'redirect', 'detach', '--', name);
    await run(0, 'redirect', 'apply', file);
    await run(0, '-j', 'redirect', 'detach', '--', name);
  });

  it('is an entry of a map, and of a document', async () => {
    const pin = pins.pin(map);
    await run(0, 'map', 'create', pin, ...'type devmap_hash key 4 value 8 entries 8'.split(' '));
    await run(0, 'map', 'update', '--', pin, 'key', 'dev', name, 'value', 'dev', name);
    await run(0, 'map', 'update', '--', pin, 'key', '0', 'value', 'dev', target);
    await run(0, 'map', 'dump', pin);
    await run(0, 'map', 'lookup', pin, 'key', '0');
    const found = (await run(0, '-j', 'map', 'lookup', pin, 'key', '0')).json();
    expect(found).toMatchObject({ formatted: { value: { ifname: target } } });
    const document = await run(0, 'map', 'export', pin);
    const file = folder.file('map.json');
    writeFileSync(file, document.stdout);
    await run(0, 'map', 'delete', '--', pin, 'key', 'dev', name);
    await run(0, 'map', 'import', pin, file, '--dry-run');
    await run(0, 'map', 'import', pin, file);
    // A batch has no way to write a word in which both quotes are.
    const quote = ["'", '"'].find((each) => !name.includes(each));
    if (quote === undefined) return;
    const batch = folder.file('batch');
    writeFileSync(batch, bytesOfText(`map update -- ${pin} key 0 value dev ${quote}${name}${quote}\n`));
    await run(0, 'batch', 'file', batch);
    const now = (await run(0, '-j', 'map', 'lookup', pin, 'key', '0')).json();
    expect(now).toMatchObject({ formatted: { value: { ifname: name } } });
  });

  it('is told of in warnings, errors and hints', async () => {
    await run(2, 'xsk', 'bind', '--queue', '99', '--attach', '--', name);
    await run(0, 'xsk', 'bind', '--queue', '0', '--attach', '--dry-run', '--', name);
    await run(0, 'net', 'features', '--', 'dev', name);
    await run(0, '-j', 'net', 'features', '--', 'dev', name);
    await run(0, 'net', 'attach', '--', 'xdpgeneric', 'builtin', 'pass', 'dev', name);
    await run(6, 'net', 'attach', '--', 'xdpdrv', 'builtin', 'pass', 'dev', name);
    await run(3, 'net', 'detach', '--', 'xdpdrv', 'dev', name);
    await run(6, 'redirect', 'attach', '--to', target, '--', name);
    await run(6, '-j', 'redirect', 'attach', '--to', target, '--', name);
    await run(0, 'net', 'detach', '--', 'xdpgeneric', 'dev', name);
    const words = await run(0, '__complete', 'interfaces');
    expect(words.stdout.split('\n').includes(name)).toBe(printable(name) === name);
  });
});

/** The kernel allows no dot in the name of a pin, and bpftool prints the names as they are: not where it looks too. */
const pinNames = [...hostileNames, 'x\n\t\r\u2028y'].filter((name) => !/^[\w-]+$|\./.test(name));

describe.each(pinNames)('a pin called %j', (name) => {
  it('is made, found, named and taken away', async () => {
    const [map, program] = [pins.pin(name), pins.pin(`${name}!`)];
    await run(0, 'map', 'create', '--', map, ...'type hash key 4 value 4 entries 1 name m'.split(' '));
    await run(6, 'map', 'create', '--', map, ...'type hash key 4 value 4 entries 1 name m'.split(' '));
    const here = readdirSync(pins.path, 'buffer').map((each) => textOfBytes(each));
    expect(here).toContain(name);
    const shown = (await run(0, '-j', 'map', 'show', 'pinned', '--', map)).json() as { id: number; pinned: string[] };
    expect(shown.pinned).toEqual([map]);
    await run(0, 'map', 'show', 'pinned', '--', map);
    await run(0, 'prog', 'load', '--', builtinPath('pass'), program);
    await run(2, 'map', 'dump', 'pinned', '--', program);
    await run(0, 'prog', 'show', 'pinned', '--', program);
    await run(0, 'prog', 'unpin', '--', program);
    await run(0, 'map', 'unpin', '--', map);
    await run(3, 'map', 'unpin', '--', map);
    expect(readdirSync(pins.path, 'buffer').map((each) => textOfBytes(each))).not.toContain(name);
  });
});

describe('words that name nothing', () => {
  it.each([...hostileNames, `x\n\t\r\u2028\u2029y`, '\u0000'])('%j are told as they are, and safely', async (word) => {
    expect.hasAssertions();
    for (const flags of [[], ['-j']]) {
      await run(2, ...flags, '--', word, 'x');
      await run(3, ...flags, 'map', 'show', 'name', '--', `${word}!`);
      // The kernel allows no dot in the name of a pin, and no path has a zero byte.
      const exit = /[.\0]/.test(word) ? 2 : 3;
      await run(exit, ...flags, 'map', 'show', 'pinned', '--', `/sys/fs/bpf/${word}!`);
      await run(3, ...flags, 'redirect', 'show', '--', `${word}!x`);
      await run(word === '\0' ? 2 : 3, ...flags, 'batch', 'file', '--', `/nothing/${word}`);
      await run(2, ...flags, 'map', 'create', pins.pin('no'), 'type', 'hash', 'name', '--', `${word}.`.padEnd(20, '.'));
    }
  });
});
