import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { xdpctl } from '../support/command.ts';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
  version: string;
};

/** Node.js says what will not work in a later version, and ends at it. */
const strict = { NODE_OPTIONS: '--pending-deprecation --throw-deprecation --trace-warnings' };

/** A batch of all kinds of words; nothing is changed, and no kernel is asked. */
const commands = [
  ['--version'],
  ['help'],
  ['version'],
  ['map', 'update', '--help'],
  ['debug', 'explain', 'target-no-xmit'],
  ['-j', 'debug', 'explain', 'EOPNOTSUPP'],
  ['completion', 'zsh'],
];

describe('this Node.js and this libbpf', () => {
  it('are what the command runs with', () => {
    expect(xdpctl(['--version'])).toMatchObject({ status: 0, stdout: `xdpctl ${version}\n`, stderr: '' });
    expect(xdpctl(['-j', 'version']).json()).toMatchObject({
      version,
      libbpf_version: expect.stringMatching(/^1\.\d+$/) as string,
    });
  });

  it.each(commands)('give no warning in %s %s', (...words) => {
    const { status, stdout, stderr } = xdpctl(words, { env: strict });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).not.toBe('');
  });

  it.each([
    [['map', 'creat'], 'hint: did you mean create?'],
    [['map', 'create', 'a.b', 'type', 'devmap', 'entries', '1'], "the kernel allows no '.'"],
    [['debug', 'drops', '--duration', 'long'], '--duration'],
  ])('refuse %j', (words, message) => {
    const { status, stdout, stderr } = xdpctl(words, { env: strict });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});
