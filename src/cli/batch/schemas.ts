import { arrayOf, type JsonSchema, objectOf } from '../json-schema.ts';

/** What `batch` prints with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  file: arrayOf(
    objectOf({
      command: arrayOf({ type: 'string' }, 'the words of the command'),
      output: { description: 'what the command prints with -j; null when it prints nothing' },
    }),
  ),
};
