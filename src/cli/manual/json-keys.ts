import type { JsonSchema } from '../json-schema.ts';
import { bold, item, paragraph, type Roff } from './roff.ts';

/** The keys of a verb's JSON, from its schema. */
export function jsonKeys(schema: JsonSchema): Roff {
  return keysOf(schema, '');
}

function keysOf(schema: JsonSchema, path: string): string[] {
  if (schema.items !== undefined) return keysOf(schema.items, path === '' ? '' : `${path}[]`);
  if (schema.anyOf !== undefined && path === '') return choicesOf(schema.anyOf);
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((choice) => childrenOf(choice, path));
  return childrenOf(schema, path);
}

/** The keys of what is printed in different cases; a case like the one before it is not told again. */
function choicesOf(choices: readonly JsonSchema[]): string[] {
  const cases = choices
    .map((choice) => ({ title: choice.title ?? '', keys: keysOf(choice, '') }))
    .filter(({ keys }) => keys.length > 0);
  const different = cases.filter(({ keys }, index) => cases.findIndex((other) => isSame(other.keys, keys)) === index);
  if (different.length === 1) return different.flatMap(({ keys }) => keys);
  return different.flatMap(({ title, keys }) => [...paragraph(`${title}:`), ...keys]);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.join('\n') === other.join('\n');
}

/** The lines for an object's properties; a choice that is no object is told by its parent's line. */
function childrenOf(schema: JsonSchema, path: string): string[] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const optional = required.has(name) ? '' : ', optional';
    return [...item(`${bold(at)} (${typeText(child)}${optional})`, descriptionOf(child)), ...keysOf(child, at)];
  });
}

function descriptionOf(schema: JsonSchema): string {
  const choices = schema.anyOf?.map((choice) => [choice.title, choice.description].filter(Boolean).join(': '));
  return schema.description ?? schema.items?.description ?? choices?.filter(Boolean).join('; ') ?? '';
}

function typeText(schema: JsonSchema): string {
  if (schema.anyOf !== undefined)
    return [...new Set(schema.anyOf.flatMap((each) => typeText(each).split(' or ')))].join(' or ');
  if (schema.enum !== undefined) return schema.enum.length < 4 ? schema.enum.join(' or ') : 'string';
  if (schema.const !== undefined) return String(schema.const);
  if (schema.items !== undefined) return `array of ${plural(typeText(schema.items))}`;
  const { type = 'any' } = schema;
  return typeof type === 'string' ? type : type.join(' or ');
}

function plural(type: string): string {
  return type.replace(/^[a-z]+/, (word) => `${word}s`);
}
