import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { globalOptionSpecs, plainSwitches } from '../../src/cli/global-options.ts';
import { parseOptions } from '../../src/cli/program.ts';

const switches = globalOptionSpecs
  .filter(({ name, value }) => value === undefined && name !== 'version' && name !== 'help')
  .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);

describe('plain switches', () => {
  it('mean what the parser says they mean', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...switches)), (tokens) => {
        expect(plainSwitches(tokens)).toEqual(parseOptions(tokens, []).global);
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
    '--netns=x',
    '--color',
    '--',
    '-',
    '--jso',
    '--if-absent',
    '',
  ])('are not %j', (token) => {
    expect(plainSwitches(['-j', token])).toBeUndefined();
  });
});
