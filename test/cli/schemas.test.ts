import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';

import { arrayOf, count, errorSchema, objectOf, text, versionSchema, wide } from '../../src/cli/json-schema.ts';
import { schemaDocuments } from '../../src/cli/schemas.ts';
import { ToolError } from '../../src/domain/errors.ts';
import { typedHere } from '../../src/domain/typed-command.ts';
import { failureJson } from '../../src/output/failure.ts';
import { schemaProblems } from '../support/schema.ts';

const documents = await schemaDocuments();

describe('a published schema', () => {
  it.each(documents)('$file is valid under draft 2020-12', ({ schema }) => {
    const ajv = new Ajv2020({ allowUnionTypes: true });
    expect(() => ajv.compile(schema)).not.toThrow();
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  });

  it('has a file and an id of its own', () => {
    expect(new Set(documents.map(({ file }) => file)).size).toBe(documents.length);
    expect(new Set(documents.map(({ schema }) => schema.$id)).size).toBe(documents.length);
    for (const { file, schema } of documents) expect(`urn:xdpctl:${file}`).toBe(`${schema.$id}.json`);
  });

  it('allows keys that come with later versions', () => {
    const ajv = new Ajv2020();
    expect(ajv.validate(versionSchema, { version: '9', libbpf_version: null, features: {}, later: 1 })).toBe(true);
  });
});

describe('the schema of errors', () => {
  it('takes an error with all that it may say', () => {
    const batch = { file: 'standard input', line: 3, command: ['map', 'lookup'], applied: 2 };
    const error = new ToolError('not-found', 'no map', { hint: 'see', errno: 2, operation: 'map lookup', batch });
    expect(Object.keys(failureJson(error, typedHere).error)).toHaveLength(
      Object.keys(errorSchema.properties?.['error']?.properties ?? {}).length,
    );
    expect(schemaProblems(errorSchema, failureJson(error, typedHere))).toEqual([]);
  });

  it('takes one that says nothing but what failed', () => {
    expect(schemaProblems(errorSchema, failureJson(new ToolError('usage', 'wrong'), typedHere))).toEqual([]);
  });
});

describe('the check of outputs against schemas', () => {
  const schema = objectOf({ id: count('id'), 'name?': text('name'), list: arrayOf(wide('numbers')) });

  it('finds nothing where there is nothing', () => {
    expect(schemaProblems(schema, { id: 1, list: [1, '18446744073709551615'] })).toEqual([]);
  });

  it.each([
    [{ list: [] }, 'id'],
    [{ id: 1, list: [], more: 1 }, 'more'],
    [{ id: -1, list: [] }, '/id'],
    [{ id: 1, name: 5, list: [] }, '/name'],
    [{ id: 1, list: ['x'] }, '/list/0'],
  ])('finds the fault in %j', (value, place) => {
    expect(schemaProblems(schema, value).join()).toContain(place);
  });
});
