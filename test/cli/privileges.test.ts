import { describe, expect, it } from 'vitest';

import { catalogue, loadVerbs } from '../../src/cli/catalogue.ts';
import { commandName } from '../../src/cli/help.ts';
import { privilegeBlocks } from '../../src/cli/manual/privilege-table.ts';
import { privileges } from '../../src/cli/manual/privileges.ts';

/** What they do needs no kernel. */
const withoutKernel = ['completion'];

const verbs = (await Promise.all(catalogue.map(loadVerbs))).flat();
const measured = verbs
  .filter(({ object }) => !withoutKernel.includes(object))
  .map((verb) => ({ name: commandName(verb), verb }));

/** `batch` has one verb, which the table leaves out. */
function rowsOf(name: string): typeof privileges {
  return privileges.filter(({ words }) => `${words} `.startsWith(`${name.replace(/^batch file$/, 'batch')} `));
}

describe('the capabilities', () => {
  it.each(measured)('of $name were measured', ({ name }) => {
    expect(rowsOf(name)).not.toEqual([]);
  });

  it.each(measured.filter(({ verb }) => verb.object !== 'batch'))(
    'of $name are all told in its page',
    ({ name, verb }) => {
      for (const capability of new Set(rowsOf(name).flatMap(({ root }) => root))) {
        expect(verb.capabilities).toContain(`CAP_${capability.toUpperCase()}`);
      }
    },
  );

  it('fit into the width of a terminal', () => {
    const [, table] = privilegeBlocks();
    const { lines } = table as { readonly lines: readonly string[] };
    expect(lines).toHaveLength(privileges.length + 1);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(76);
    expect(lines).toContainEqual(expect.stringMatching(/^redirect detach +BPF, NET_ADMIN +DAC_OVERRIDE$/));
  });
});
