/** JSON text of a value; pretty-printed with four blanks a level, as bpftool does. */
export function jsonText(value: unknown, pretty: boolean, depth = 0): string {
  const text = stringify(value, pretty ? 4 : undefined);
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
