import { describe, expect, it } from 'vitest';

import { loadBuiltinProgram } from '../../src/kernel/builtin-objects.ts';
import { isEntryProgram } from '../../src/kernel/program-kind.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';

describe('what a program was loaded for', () => {
  it.each([
    ['egress_devmap', 'devmap', true],
    ['egress_devmap', 'cpumap', false],
    ['egress_cpumap', 'cpumap', true],
    ['egress_cpumap', 'devmap', false],
    ['pass', 'devmap', false],
    ['pass', 'cpumap', false],
  ] as const)('%s goes into a %s: %s', (name, kind, expected) => {
    using program = loadBuiltinProgram(name);
    expect(isEntryProgram(program.fd, kind)).toBe(expected);
    using plain = loadBuiltinProgram(name, { plain: true });
    expect(isEntryProgram(plain.fd, kind)).toBe(expected);
  });

  it('is found out without leaving anything', async () => {
    const before = kernelState();
    {
      using program = loadBuiltinProgram('pass');
      for (const kind of ['devmap', 'cpumap'] as const) expect(isEntryProgram(program.fd, kind)).toBe(false);
    }
    await expectNothingNew(before);
  });
});
