import { replaceHidden } from '../domain/hidden-characters.ts';

/**
 * JSON text of a value; pretty-printed with four blanks a level, as bpftool does. Names in it may be hostile, and it may be
 * read on a terminal: what that would not simply show is escaped, which is the same to a program.
 */
export function jsonText(value: unknown, pretty: boolean, depth = 0): string {
  const text = escaped(stringify(value, pretty ? 4 : undefined));
  return pretty && depth > 0 ? text.replaceAll('\n', `\n${' '.repeat(4 * depth)}`) : text;
}

/** Looking at each number costs three times as much as writing it, and only bigints need it: without one it is left out. */
function stringify(value: unknown, indent: number | undefined): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, jsonNumber, indent);
  }
}

/** Whole numbers beyond 2^53 - 1 are decimal strings, because readers would round them. */
function jsonNumber(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return value >= -MAX && value <= MAX ? Number(value) : value.toString();
}

const MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** JSON itself leaves characters beyond ASCII as they are, of which some control terminals. Its own line feeds stay. */
function escaped(text: string): string {
  if (/^[\n -~]*$/.test(text)) return text;
  return replaceHidden(text, (character) => {
    if (character === '\n') return character;
    // Of a character beyond U+FFFF both halves.
    return character.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  });
}
