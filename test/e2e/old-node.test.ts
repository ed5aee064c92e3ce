import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { JsonSchema } from '../../src/cli/json-schema.ts';
import { xdpctl, xdpctlPath } from '../support/command.ts';
import { schemaProblems } from '../support/schema.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { tool } from '../support/tool.ts';

const project = join(import.meta.dirname, '..', '..');
const { engines } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  engines: { node: string };
};
const errorSchema = JSON.parse(readFileSync(join(project, 'dist', 'schema', 'error.json'), 'utf8')) as JsonSchema;
const oldest = Number(/^>=(\d+)$/.exec(engines.node)?.[1]);

/** The command under a Node.js that says to be of another version. */
function runWith(version: string, words: readonly string[]): ReturnType<typeof xdpctl> {
  using folder = new TemporaryFolder();
  const preload = folder.file('version.cjs');
  const versions = `{ ...process.versions, node: ${JSON.stringify(version)} }`;
  writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: ${versions} });\n`);
  return xdpctl(words, { env: { NODE_OPTIONS: `--require ${preload}` } });
}

describe('a Node.js that is too old', () => {
  it.each(['18.20.8', '12.22.9', `${oldest - 1}.9.9`])('%s is named, with the one it takes', (version) => {
    const { status, stdout, stderr } = runWith(version, ['redirect', 'show']);
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^error: Node\\.js ${oldest} or newer is required, and this is ${version}\nhint: .*\n$`),
    );
  });

  it.each([['-j'], ['--json'], ['-p'], ['-qj']])('is told in JSON with %s', (option) => {
    const { status, stdout, stderr } = runWith('18.20.8', ['map', 'show', option]);
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    const told: unknown = JSON.parse(stderr);
    expect(told).toMatchObject({ error: { exit: 5, message: expect.stringContaining('Node.js') as string } });
    expect(schemaProblems(errorSchema, told)).toEqual([]);
  });

  it('is told by a file that it can read', () => {
    const text = readFileSync(xdpctlPath, 'utf8');
    const esbuild = join(project, 'node_modules', '.bin', 'esbuild');
    const forNode = (target: string): string => tool(esbuild, ['--loader=js', `--target=${target}`], { input: text });
    expect(forNode('node12')).toBe(forNode('esnext'));
  });
});

it.each([`${oldest}.0.0`, '26.0.0', '100.0.0'])('Node.js %s is not too old', (version) => {
  expect(runWith(version, ['--version'])).toMatchObject({ status: 0, stderr: '' });
});
