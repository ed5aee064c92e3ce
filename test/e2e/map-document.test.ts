import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PinFolder, startXdpctl, xdpctl } from '../support/command.ts';
import { peekEntry } from '../support/peek.ts';
import { fixtureName } from '../support/run-id.ts';
import { tool, toolJson } from '../support/tool.ts';

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

function createMap(pin: string, words: string): string {
  const path = pins.pin(pin);
  tool('bpftool', ['map', 'create', path, ...words.split(' '), 'name', pin]);
  return path;
}

/** A document of a devmap_hash with so many entries, in a file. */
function largeDocument(count: number): string {
  const file = join(folder, 'document');
  const entries = Array.from({ length: count }, (_, key) => `{"key":${key},"value":{"dev":"lo"}}`);
  writeFileSync(
    file,
    `{"xdpctl":1,"map":{"type":"devmap_hash","bytes_key":4,"bytes_value":4},"entries":[${entries.join(',\n')}]}`,
  );
  return file;
}

function keys(path: string): number[] {
  const entries = toolJson('bpftool', ['-j', 'map', 'dump', 'pinned', path]) as { key: string[] }[];
  return entries.map(({ key }) => Buffer.from(key.map(Number)).readUInt32LE()).toSorted((a, b) => a - b);
}

describe('a document', () => {
  it('goes from one map into another through a pipe', () => {
    const from = createMap('from', 'type hash key 4 value 8 entries 1000');
    const to = createMap('to', 'type hash key 4 value 8 entries 1000');
    const lines = Array.from({ length: 1000 }, (_, key) => `map update ${from} key ${key * 7} value ${key}`);
    expect(xdpctl(['-q', 'batch', 'file', '-'], { input: `${lines.join('\n')}\n` })).toMatchObject({ status: 0 });
    for (const json of [[], ['-j'], ['-p']]) {
      const document = xdpctl([...json, 'map', 'export', from]);
      expect(document).toMatchObject({ status: 0, stderr: '' });
      expect(xdpctl(['map', 'import', to, '-', 'replace'], { input: document.stdout })).toMatchObject({
        status: 0,
        stdout: '',
        stderr: '',
      });
      expect(keys(to)).toEqual(keys(from));
    }
  });

  it('may be on the lines of a batch', () => {
    const path = createMap('m', 'type hash key 4 value 4 entries 4');
    tool('bpftool', ['map', 'update', 'pinned', path, ...'key 1 0 0 0 value 2 0 0 0'.split(' ')]);
    const file = join(folder, 'document');
    writeFileSync(
      file,
      '{"xdpctl":1,"map":{"type":"hash","bytes_key":4,"bytes_value":4},"entries":[{"key":9,"value":9}]}',
    );
    const input = `map export ${path}\nmap import ${path} ${file} replace\nmap export ${path}\n`;
    for (const form of ['-j', '-p']) {
      tool('bpftool', ['map', 'update', 'pinned', path, ...'key 1 0 0 0 value 2 0 0 0'.split(' ')]);
      tool('sh', ['-c', `bpftool map delete pinned ${path} key 9 0 0 0 || true`]);
      expect(xdpctl([form, 'batch', 'file', '-'], { input }).json()).toMatchObject([
        { output: { xdpctl: 1, entries: [{ key: 1, value: 2 }] } },
        { output: null },
        { output: { xdpctl: 1, entries: [{ key: 9, value: 9 }] } },
      ]);
    }
  });

  it('whose reader leaves is no failure', async () => {
    const path = createMap('m', 'type array key 4 value 4 entries 500000');
    await using command = startXdpctl(['map', 'export', path]);
    command.child.stdout?.destroy();
    expect(await command.result()).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('an interrupted export', () => {
  it.each(['-j', '-p', '-q'])('ends its document, which says that it is not complete (%s)', async (form) => {
    const path = createMap('m', 'type array key 4 value 4 entries 8000000');
    await using command = startXdpctl([form, 'map', 'export', path]);
    await command.untilStdout(/"key"/);
    const { signal, stdout } = await command.stop('SIGINT');
    expect(signal).toBe('SIGINT');
    const document = JSON.parse(stdout) as { entries: object[]; complete: boolean };
    expect(document.complete).toBe(false);
    expect(document.entries.length).toBeLessThan(8_000_000);
    expect(xdpctl(['map', 'import', path, '-'], { input: stdout })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is not complete') as string,
    });
  });
});

describe('an interrupted import', () => {
  it('stops between two changes, says how far it came, and can be completed', async () => {
    const count = 120_000;
    const path = createMap('m', `type devmap_hash key 4 value 4 entries ${count}`);
    const file = largeDocument(count);
    await using command = startXdpctl(['map', 'import', path, file]);
    while (peekEntry(path, 1000) === undefined) await sleep(1);
    const { signal, stdout, stderr } = await command.stop('SIGTERM');
    expect({ signal, stdout }).toEqual({ signal: 'SIGTERM', stdout: '' });
    const written = keys(path);
    expect(stderr).toBe(`interrupted: ${written.length} of ${count} changes were made\n`);
    expect(written.length).toBeLessThan(count);
    expect(written).toEqual(Array.from({ length: written.length }, (_, key) => key));

    expect(xdpctl(['-q', 'map', 'import', path, file])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(keys(path)).toHaveLength(count);
    expect(xdpctl(['map', 'import', path, file, 'replace', '--dry-run'])).toMatchObject({
      stdout: 'would change nothing\n',
    });
  });

  it('tells the same from within a batch', async () => {
    const count = 120_000;
    const path = createMap('m', `type devmap_hash key 4 value 4 entries ${count}`);
    const batch = join(folder, 'batch');
    writeFileSync(
      batch,
      `map show ${path}\n# the import\nmap import ${path} ${largeDocument(count)}\nmap show ${path}\n`,
    );
    await using command = startXdpctl(['-j', 'batch', 'file', batch]);
    while (peekEntry(path, 1000) === undefined) await sleep(1);
    const result = await command.stop('SIGINT');
    expect(result.signal).toBe('SIGINT');
    expect(result.json()).toHaveLength(1);
    expect(result.jsonErrors()).toEqual([
      {
        warning: {
          message: `interrupted in line 3 of ${batch}: 1 command was applied; on that line interrupted: ${keys(path).length} of ${count} changes were made`,
        },
      },
    ]);
  });
});
