/** JSON text of a value; pretty-printed with four blanks a level, as bpftool does. */
export function jsonText(value: unknown, pretty: boolean, depth = 0): string {
  const text = JSON.stringify(value, jsonNumber, pretty ? 4 : undefined);
  return pretty && depth > 0 ? text.replaceAll('\n', `\n${' '.repeat(4 * depth)}`) : text;
}

/** Whole numbers beyond 2^53 - 1 are decimal strings, because readers would round them. */
function jsonNumber(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return value >= -MAX && value <= MAX ? Number(value) : value.toString();
}

const MAX = BigInt(Number.MAX_SAFE_INTEGER);
