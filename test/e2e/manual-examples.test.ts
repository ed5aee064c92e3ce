import { describe, expect, it } from 'vitest';

import { catalogue, loadVerbs } from '../../src/cli/catalogue.ts';
import { errorSchema, type JsonSchema } from '../../src/cli/json-schema.ts';
import { schemasOf } from '../../src/cli/schemas.ts';
import type { Example } from '../../src/cli/verb.ts';
import { exitCodes } from '../../src/domain/exit-code.ts';
import { runInExampleWorld } from '../support/example-world.ts';
import { resembles } from '../support/resembles.ts';
import { schemaProblems } from '../support/schema.ts';

const objects = await Promise.all(
  catalogue.map(async (object) => ({
    name: object.name,
    verbs: await loadVerbs(object),
    schemas: await schemasOf(object.name),
  })),
);

/** Every example of the manual, typed into a shell in a world of its own, does and prints what the manual says. */
describe.each(objects)('$name', ({ verbs, schemas }) => {
  describe.each(verbs)('$name', ({ name, examples }) => {
    it.each(examples)('$command', (example) => {
      const { status, stdout, stderr } = runInExampleWorld(example);
      // Findings are no failure: they are told where all results are told.
      const fails = example.exit !== undefined && example.exit !== exitCodes.findings;
      const remarks = fails ? '' : stderr.replace(/^ready: .*\n/, '');
      expect({ status, remarks }).toEqual({ status: example.exit ?? 0, remarks: '' });

      const printed = fails ? stderr : stdout;
      const shown = example.output ?? '';
      expect(resembles(printed, shown) ? shown : printed).toBe(shown);
      expect(isJson(example) ? jsonProblems(printed, fails ? errorSchema : schemas[name]) : []).toEqual([]);
    });
  });
});

function isJson({ command }: Example): boolean {
  return /^xdpctl (-[a-z]*[jp]|--json|--pretty)\b/.test(command);
}

function jsonProblems(printed: string, schema: JsonSchema | undefined): string[] {
  if (schema === undefined) return ['it has no schema'];
  return printed === '' ? [] : schemaProblems(schema, JSON.parse(printed));
}
