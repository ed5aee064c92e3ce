/** A decoded value, ready for JSON: integers beyond 2^53 - 1 are decimal strings already. */
export type BtfValue = number | string | boolean | null | readonly BtfValue[] | { readonly [name: string]: BtfValue };

/** Reads the value that begins `at` bytes into the view. */
export type BtfDecoder = (view: DataView, at: number) => BtfValue;

/**
 * A value on one line for people: `{a: 1, name: "eth0", list: [1, 2]}`. Members without a name stand among those
 * around them, and ten or more equal elements are counted, as debuggers do.
 */
export function valueText(value: BtfValue): string {
  if (typeof value === 'string') return /^[\w.+-]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${elementTexts(value as readonly BtfValue[]).join(', ')}]`;
  return `{${memberTexts(value as BtfObject).join(', ')}}`;
}

type BtfObject = Readonly<Record<string, BtfValue>>;

function memberTexts(value: BtfObject): string[] {
  return Object.entries(value).flatMap(([name, member]) =>
    name === '' && isObject(member) ? memberTexts(member) : [`${name}: ${valueText(member)}`],
  );
}

function isObject(value: BtfValue): value is BtfObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MANY = 10;

function elementTexts(elements: readonly BtfValue[]): string[] {
  const texts: string[] = [];
  for (let index = 0; index < elements.length;) {
    const text = valueText(elements[index] as BtfValue);
    let end = index + 1;
    while (end < elements.length && valueText(elements[end] as BtfValue) === text) end += 1;
    const times = end - index;
    if (times >= MANY) texts.push(`${text} <${times} times>`);
    else for (let each = 0; each < times; each += 1) texts.push(text);
    index = end;
  }
  return texts;
}
