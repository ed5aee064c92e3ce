import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { fixtureName } from '../support/run-id.ts';

const project = join(import.meta.dirname, '..', '..');

/** What V8 says of the caches of all parts, in a process of its own, whose flags nobody has touched. */
const judge = `
  const { readFileSync } = require('node:fs');
  const { Script } = require('node:vm');
  for (const part of process.argv.slice(1)) {
    const text = readFileSync(part, 'utf8');
    const name = text.split('\\n')[0].replace('// cache: ', '') + '-' + process.versions.v8 + '-' + process.arch;
    const cachedData = readFileSync(process.cwd() + '/dist/cache/' + name);
    console.log(new Script(text, { filename: part, cachedData }).cachedDataRejected);
  }`;

function run(folder: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, 'bin', 'xdpctl'), 'debug', 'explain', 'target-no-xmit'],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

describe('the code cache', () => {
  const folder = join(tmpdir(), fixtureName());
  const cache = join(folder, 'dist', 'cache');

  beforeEach(() => {
    mkdirSync(folder, { recursive: true });
    for (const part of ['bin', 'dist', 'bpf-objects', 'package.json']) {
      cpSync(join(project, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is one for each part, and V8 takes it', () => {
    const dist = join(folder, 'dist');
    const parts = [dist, join(dist, 'libraries')].flatMap((home) =>
      readdirSync(home)
        // Programs of their own, which Node.js runs without bin/xdpctl.
        .filter((name) => name.endsWith('.cjs') && !['object-child.cjs', 'confirm-guard.cjs'].includes(name))
        .map((name) => join(home, name)),
    );
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', judge, ...parts], { encoding: 'utf8', cwd: folder });
    expect(stderr).toBe('');
    expect(stdout).toBe('false\n'.repeat(parts.length));
    expect(readdirSync(cache)).toHaveLength(parts.length);
  });

  it('is only for the text that it was made from', () => {
    const main = join(folder, 'dist', 'xdpctl.cjs');
    const text = readFileSync(main, 'utf8');
    // As long as before, which is all that V8 itself would notice.
    const other = text.replace(/^\/\/ cache: \w+/, `// cache: ${'0'.repeat(16)}`).replace('`unknown ${', '`UNKNOWN ${');
    expect(other).toHaveLength(text.length);
    expect(other).not.toBe(text);
    writeFileSync(main, other);
    const { stderr } = spawnSync(process.execPath, [join(folder, 'bin', 'xdpctl'), 'nonsense'], { encoding: 'utf8' });
    expect(stderr).toMatch(/UNKNOWN object/);
  });

  it.each([
    ['is missing', () => rmSync(cache, { recursive: true })],
    [
      'is of another V8',
      () => readdirSync(cache).forEach((name) => writeFileSync(join(cache, name), 'something else')),
    ],
    ['is empty', () => readdirSync(cache).forEach((name) => writeFileSync(join(cache, name), ''))],
  ])('is no loss where it %s', (_, spoil) => {
    const before = run(folder);
    expect(before.status).toBe(0);
    spoil();
    expect(run(folder)).toEqual(before);
  });
});
