import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fixtureName } from '../support/run-id.ts';
import { tool } from '../support/tool.ts';

const project = join(import.meta.dirname, '..', '..');
const { version, man } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  version: string;
  man: string[];
};

describe('the package', () => {
  const folder = join(tmpdir(), fixtureName());
  const elsewhere = join(folder, 'elsewhere');
  const installed = join(folder, 'node_modules', 'xdpctl');
  let files: string[] = [];

  beforeAll(() => {
    mkdirSync(elsewhere, { recursive: true });
    const packed = npm(['pack', '--json', '--pack-destination', folder], project);
    const [tarball] = JSON.parse(packed.slice(packed.indexOf('['))) as {
      filename: string;
      files: { path: string }[];
    }[];
    files = tarball?.files.map(({ path }) => path) ?? [];
    // npm looks for a project in the folders above; this makes the folder one.
    npm(['init', '--yes'], folder);
    npm(['install', '--ignore-scripts', '--prefer-offline', join(folder, tarball?.filename ?? '')], folder);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has the command, the objects, the manual pages and the licences, and nothing of the workshop', () => {
    const names = [...new Set(files.map((path) => path.replace(/\/.*/, '/')))];
    expect(names.sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin/', 'bpf-objects/', 'dist/', 'man/', 'package.json'].sort(),
    );
    expect(files.filter((path) => path.startsWith('bin/')).sort()).toEqual(['bin/package.json', 'bin/xdpctl']);
    expect(files.filter((path) => path.startsWith('dist/')).sort()).toEqual(
      expect.arrayContaining([
        'dist/licences.txt',
        'dist/xdpctl.cjs',
        'dist/schema/map-show.json',
        'dist/schema/error.json',
      ]),
    );
    expect(files).toContainEqual(expect.stringMatching(/^bpf-objects\/.*\.bpf\.o$/));
    expect(files).toContainEqual(expect.stringMatching(/^bpf-objects\/LICENSE/));
    expect(files.filter((path) => /\.(test\.ts|tmp|map|tgz)$|^dist\/.*\.ts$/.test(path))).toEqual([]);
  });

  it('needs koffi and nothing else', () => {
    const others = readdirSync(join(folder, 'node_modules')).filter(
      (name) => !/^(\.|@koromix$|koffi$|xdpctl$)/.test(name),
    );
    expect(others).toEqual([]);
  });

  it('ships the licence of every bundled library', () => {
    const text = readFileSync(join(installed, 'dist', 'licences.txt'), 'utf8');
    const bundle = files
      .filter((path) => path.endsWith('.cjs'))
      .map((path) => readFileSync(join(installed, path), 'utf8'))
      .join('\n');
    const libraries = new Set(
      [...bundle.matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)/gm)].map(([, name]) => name),
    );
    expect(libraries).toContain('commander');
    for (const library of libraries) expect(text).toMatch(new RegExp(`^${library} \\d.*\\(.*\\)$`, 'm'));
  });

  it('lists the manual pages that there are', () => {
    const pages = readdirSync(join(project, 'man')).filter((name) => name.endsWith('.8'));
    expect(pages.length).toBeGreaterThan(0);
    expect(man.toSorted()).toEqual(pages.map((name) => `man/${name}`).sort());
    for (const page of man) expect(existsSync(join(installed, page))).toBe(true);
  });

  it('works from another folder, the kernel included', () => {
    const command = join(folder, 'node_modules', '.bin', 'xdpctl');
    expect(spawnSync(command, ['--version'], { cwd: elsewhere, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(version) as string,
      stderr: '',
    });
    const maps = spawnSync(command, ['map', 'show', '-j'], { cwd: elsewhere, encoding: 'utf8' });
    expect(maps).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(maps.stdout)).toEqual(expect.any(Array));
  });
});

/** Runs npm as a person would, without what `npm test` tells its children. */
function npm(words: string[], cwd: string): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)/.test(name)));
  return tool('npm', words, { cwd, env });
}
