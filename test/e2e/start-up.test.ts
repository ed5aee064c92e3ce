import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { describe, expect, it } from 'vitest';

const bin = join(import.meta.dirname, '..', '..', 'bin', 'xdpctl');

/** Tells at the end which parts were read and which modules of Node.js were loaded. */
const witness = `
  const fs = require('node:fs');
  const parts = [];
  const { openSync } = fs;
  fs.openSync = (path, ...rest) => {
    if (String(path).endsWith('.cjs')) parts.push(String(path));
    return openSync(path, ...rest);
  };
  process.on('exit', () => fs.writeFileSync(process.env.WITNESS, JSON.stringify({ parts, builtins: process.moduleLoadList })));
`;

/** What a command loads, however it ends. */
function loadedBy(...words: string[]): { parts: string[]; builtins: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-start-up-'));
  try {
    const hook = join(folder, 'witness.cjs');
    const seen = join(folder, 'seen.json');
    writeFileSync(hook, witness);
    spawnSync(process.execPath, ['--require', hook, bin, ...words], { env: { ...process.env, WITNESS: seen } });
    const { parts, builtins } = JSON.parse(readFileSync(seen, 'utf8'));
    return { parts: parts.map((path: string) => basename(path, '.cjs')), builtins };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('what a command loads', () => {
  it.each([
    ['map lookup', ['map', 'lookup', 'id', '4294967295', 'key', '0'], ['xdpctl', 'lookup', 'failure']],
    [
      'map update',
      ['map', 'update', 'id', '4294967295', 'key', '0', 'value', '0'],
      ['xdpctl', 'lookup', 'targets', 'update', 'failure'],
    ],
    ['redirect attach', ['redirect', 'attach', 'lo', '--to', 'lo', '--dry-run'], ['xdpctl', 'attach', 'targets']],
  ])('is only the parts that %s needs', (_, words, expected) => {
    const { parts, builtins } = loadedBy(...words);
    expect(parts.toSorted()).toEqual(expected.toSorted());
    // 3 ms, with all that it brings along.
    expect(builtins).not.toContain('NativeModule child_process');
  });
});
