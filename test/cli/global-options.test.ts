import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { globalOptionSpecs, plainOptions } from '../../src/cli/global-options.ts';
import { parseOptions } from '../../src/cli/program.ts';
import type { OptionSpec } from '../../src/cli/verb.ts';

const switches = globalOptionSpecs
  .filter(({ name, value }) => value === undefined && name !== 'version' && name !== 'help')
  .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);

const own: readonly OptionSpec[] = [
  { name: 'to', value: 'DEV', repeatable: true, description: '' },
  { name: 'on-miss', value: 'ACTION', description: '' },
  { name: 'output', short: 'o', value: 'FILE', description: '' },
  { name: 'replace', description: '' },
];

const value = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('-1', 'a=b', '--to', '=', '$(id)', 'a b', '\n'));
const valued = fc
  .tuple(fc.constantFrom('to', 'on-miss', 'output', 'netns'), value)
  .map(([name, text]) => `--${name}=${text}`);
const tokens = fc.array(fc.oneof(fc.constantFrom(...switches, '--replace'), valued));

describe('plain options', () => {
  it('mean what the parser says they mean', () => {
    fc.assert(
      fc.property(tokens, (list) => {
        const parsed = parseOptions(list, own);
        // The parser also lists what was not given.
        const given = Object.fromEntries(Object.entries(parsed.own).filter(([, each]) => each !== undefined));
        expect(plainOptions(list, own)).toEqual({ global: parsed.global, own: given });
      }),
    );
  });

  it.each([
    '--version',
    '-V',
    '--help',
    '-h',
    '-jq',
    '--color=always',
    '--netns',
    '--netns=',
    '--to',
    '--to=',
    '--replace=yes',
    '--json=1',
    '-ofile',
    '-o',
    '--color',
    '--',
    '-',
    '--jso',
    '--if-absent',
    '',
  ])('are not %j', (token) => {
    expect(plainOptions(['-j', token], own)).toBeUndefined();
  });
});
