import { type JsonSchema, objectOf, text } from '../json-schema.ts';
import { shells } from './script.ts';

const script = objectOf({
  shell: text('bash, zsh or fish'),
  script: text('the script'),
});

/** What the verbs of `completion` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = Object.fromEntries(shells.map((shell) => [shell, script]));
