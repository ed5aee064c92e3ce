import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { toToolError } from '../../../src/cli/to-tool-error.ts';
import { usageError } from '../../../src/domain/errors.ts';
import { describeObject } from '../../../src/kernel/contained/parent.ts';
import { elfHeaders, mutants } from '../mutants.ts';
import { tame, target } from '../target.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const originals = [
  'bpf-objects/pass',
  'bpf-objects/redirect_devmap',
  'bpf-objects/egress_devmap',
  'test/fixtures/bpf/faulty',
].map((path) => readFileSync(join(root, `${path}.bpf.o`)));

/** Where names of programs, maps and sections are: the last of the sections (llvm writes the table of strings there). */
function hot(elf: Uint8Array): readonly (readonly [number, number])[] {
  const headers = elfHeaders(elf);
  const sections = headers[1]?.[0] ?? 1;
  return [...headers, [Math.max(0, sections - 0.15), sections]];
}

export const objectTargets = [
  target({
    name: 'objects/elf',
    // In a process of its own, as for users: libbpf may crash, or come to no end.
    oneIn: 100,
    arbitrary: mutants(originals, hot),
    check(bytes) {
      tame(() => {
        try {
          const { programs, maps } = describeObject('mutant.bpf.o', bytes);
          // As where a name that the user gave is in none of them.
          throw usageError(
            `it has ${programs.map(({ name, section }) => `${name} in ${section}`).join(', ')}`,
            `and ${maps.map(({ name, libbpfName, pinPath }) => `${name} ${libbpfName} ${pinPath}`).join(', ')}`,
          );
        } catch (error) {
          throw toToolError(error);
        }
      });
    },
  }),
];
