import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

import type { JsonSchema } from '../../src/cli/json-schema.ts';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });

/**
 * What a value has that its schema does not allow, a line each; also keys that the schema does not name, which readers
 * must put up with, but which the manual must tell of.
 */
export function schemaProblems(schema: JsonSchema, value: unknown): string[] {
  const validate: ValidateFunction = ajv.compile(closed(schema));
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '(whole)'} ${message} ${JSON.stringify(params)}`,
  );
}

/** The schema without room for keys that it does not name. */
function closed(schema: JsonSchema): object {
  const { $id: _id, properties, items, anyOf, ...rest } = schema;
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, closed(child)])),
      additionalProperties: false,
    }),
    ...(items && { items: closed(items) }),
    ...(anyOf && { anyOf: anyOf.map(closed) }),
  };
}
