import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';

import { type Context, Interrupted } from '../../src/cli/context.ts';
import { descriptorPieces, linePieces, openInput, readText } from '../../src/cli/input-file.ts';

async function* zeros(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(1 << 22);
}

async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const at = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
  for (let index = 1; index < at.length; index += 1) yield bytes.subarray(at[index - 1], at[index]);
}

async function listed<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const text = fc.string({ unit: fc.constantFrom('a', '\n', 'ä', '漢', '😀') });
const cuts = fc.array(fc.nat(60));

it('pieces of lines end with a newline wherever the bytes were cut, and lose nothing', async () => {
  await fc.assert(
    fc.asyncProperty(text, cuts, async (whole, places) => {
      const pieces = await listed(linePieces({ name: 'x', pieces: inPieces(Buffer.from(whole), places) }));
      expect(pieces.join('')).toBe(whole);
      for (const piece of pieces.slice(0, -1)) expect(piece).toMatch(/\n$/);
    }),
  );
});

it('a line that has no end does not take all memory', async () => {
  const input = { name: '/dev/zero', pieces: zeros() };
  await expect(listed(linePieces(input))).rejects.toThrow('/dev/zero has a line of more than 64 MiB');
});

it('names that are not UTF-8 are kept', async () => {
  const input = { name: 'x', pieces: inPieces(Uint8Array.of(0x61, 0xff, 0x0a), []) };
  expect(await listed(linePieces(input))).toEqual(['a\udcff\n']);
});

it('a text is read whole wherever the bytes were cut', async () => {
  await fc.assert(
    fc.asyncProperty(text, cuts, async (whole, places) => {
      expect(await readText({ name: 'x', pieces: inPieces(Buffer.from(whole), places) })).toBe(whole);
    }),
  );
});

it('a file of several pieces is read to its end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-input-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'large');
  const bytes = Buffer.alloc(40_000_000, 'line\n');
  writeFileSync(file, bytes);
  const input = await openInput(file, contextWith(new AbortController().signal));
  const pieces = await listed(input.pieces);
  expect(pieces.length).toBeGreaterThan(1);
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
});

it.each([
  ['', 'usage', 'the file is an empty word'],
  ['/no/such/file', 'not-found', 'there is no file /no/such/file'],
  ['/etc/passwd/x', 'not-found', 'there is no file /etc/passwd/x'],
  [tmpdir(), 'usage', `${tmpdir()} is a directory, not a file`],
  ['a\0b', 'usage', 'a path cannot contain a zero byte'],
])('the file %j is refused', async (file, kind, message) => {
  await expect(openInput(file, contextWith(new AbortController().signal))).rejects.toMatchObject({ kind, message });
});

it('a signal ends the wait for input', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-input-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const fd = openSync(pipe, 'r+');
  const stop = new AbortController();
  const waiting = listed(descriptorPieces(fd, stop.signal));
  stop.abort('SIGINT');
  await expect(waiting).rejects.toThrow(Interrupted);
  // The thread that still reads gets something, so that it ends.
  writeSync(fd, 'x');
  closeSync(fd);
});

function contextWith(signal: AbortSignal): Context {
  return { signal } as unknown as Context;
}
