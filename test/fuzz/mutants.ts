import * as fc from 'fast-check';

/** A change to a document or a blob; its places are shares of the length, from 0 to 1. */
export type Edit =
  | { readonly kind: 'set'; readonly at: number; readonly bytes: readonly number[] }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number; readonly share: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: readonly number[] }
  | { readonly kind: 'copy'; readonly at: number; readonly from: number; readonly share: number }
  | { readonly kind: 'end'; readonly at: number };

/** Numbers at which programs go wrong: nothing, the ends of types, signs, and what texts are made of. */
const telling = [0, 1, 2, 3, 4, 7, 8, 10, 13, 27, 32, 34, 44, 45, 58, 92, 0x7f, 0x80, 0x9b, 0xfe, 0xff];
const words = [
  [0, 0, 0, 0],
  [0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0x7f],
  [0, 0, 0, 0x80],
  [0xff, 0xff],
  [0, 1, 0, 0],
];

const byte = fc.oneof(fc.constantFrom(...telling), fc.nat(255));
const bytes = fc.oneof(
  { weight: 5, arbitrary: byte.map((one) => [one]) },
  { weight: 2, arbitrary: fc.constantFrom(...words) },
  { weight: 1, arbitrary: fc.array(byte, { maxLength: 12 }) },
);
/** From 0 to 1, all alike; most of fc.double() is nearly 0. */
export const share = fc.nat(999_999).map((part) => part / 999_999);
const little = share.map((part) => part / 10);

/**
 * Places of an edit.
 *
 * @param hot shares of the length in which most edits are, such as headers
 */
function places(hot: readonly (readonly [from: number, to: number])[]): fc.Arbitrary<number> {
  if (hot.length === 0) return share;
  return fc.oneof(share, ...hot.map(([from, to]) => share.map((part) => from + part * (to - from))));
}

/** Changes that turn something valid into something that nearly is. */
export function edits(hot: readonly (readonly [from: number, to: number])[] = [], most = 5): fc.Arbitrary<Edit[]> {
  const at = places(hot);
  const edit = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), at, bytes }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at, share: little }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('insert' as const), at, bytes }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('copy' as const), at, from: share, share: little }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), at }) },
  );
  // Mostly one: what is changed in five places is refused at the first.
  return fc.oneof(
    { weight: 3, arbitrary: edit.map((one) => [one]) },
    { weight: 1, arbitrary: fc.array(edit, { minLength: 1, maxLength: most }) },
  );
}

/** The blob with the changes made, one after another. */
export function mutated(original: Uint8Array, changes: readonly Edit[]): Uint8Array {
  // Not slice(): that of a Buffer is no copy.
  let blob: Uint8Array = new Uint8Array(original);
  for (const change of changes) blob = applied(blob, change);
  return blob;
}

function applied(blob: Uint8Array, change: Edit): Uint8Array {
  const place = (part: number): number => Math.min(blob.length, Math.floor(part * blob.length));
  const at = place(change.at);
  switch (change.kind) {
    case 'set': {
      const copy = new Uint8Array(blob);
      copy.set(change.bytes.slice(0, copy.length - at), at);
      return copy;
    }
    case 'flip': {
      const copy = new Uint8Array(blob);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << change.bit);
      return copy;
    }
    case 'cut':
      return joined(blob.subarray(0, at), blob.subarray(at + place(change.share) + 1));
    case 'insert':
      return joined(blob.subarray(0, at), Uint8Array.from(change.bytes), blob.subarray(at));
    case 'copy': {
      const from = place(change.from);
      return joined(blob.subarray(0, at), blob.subarray(from, from + place(change.share) + 1), blob.subarray(at));
    }
    case 'end':
      return new Uint8Array(blob.subarray(0, at));
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Blobs near to one of these. */
export function mutants(
  originals: readonly Uint8Array[],
  hot?: (original: Uint8Array) => readonly (readonly [number, number])[],
): fc.Arbitrary<Uint8Array> {
  return fc.nat(originals.length - 1).chain((index) => {
    const original = originals[index] ?? new Uint8Array();
    return edits(hot?.(original)).map((changes) => mutated(original, changes));
  });
}

/** Texts near to one of these; not always whole UTF-8. */
export function mutantTexts(originals: readonly string[]): fc.Arbitrary<string> {
  const list = originals.map((text) => new TextEncoder().encode(text));
  return mutants(list).map((blob) => new TextDecoder().decode(blob));
}

/** JSON documents near to one of these: anything stands in the place of a part of it, or is added. */
export function mutantJson(originals: readonly string[], anything: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const step = fc.record({
    way: fc.array(fc.nat(12), { maxLength: 5 }),
    value: anything,
    add: fc.boolean(),
    name: fc.oneof(fc.constantFrom('dev', 'key', 'to', 'x', '__proto__'), fc.string()),
  });
  return fc
    .record({ index: fc.nat(originals.length - 1), steps: fc.array(step, { maxLength: 3 }) })
    .map(({ index, steps }) => {
      let document: unknown = JSON.parse(originals[index] ?? '');
      for (const change of steps) document = withPart(document, change.way, change);
      return JSON.stringify(document);
    });
}

/** @param way which of the parts, at each depth; beyond that it is the last */
function withPart(
  part: unknown,
  [first, ...rest]: readonly number[],
  change: { readonly value: unknown; readonly add: boolean; readonly name: string },
): unknown {
  const { value, add, name } = change;
  if (typeof part !== 'object' || part === null || first === undefined) return value;
  if (Array.isArray(part)) {
    if (add && rest.length === 0) return part.toSpliced(first, 0, value);
    return part.map((each, index) =>
      index === first % part.length ? withPart(each, rest, change) : (each as unknown),
    );
  }
  const entries = Object.entries(part);
  if (add && rest.length === 0) return Object.fromEntries([...entries, [name, value]]);
  return Object.fromEntries(
    entries.map(([key, each], index) => [
      key,
      index === first % entries.length ? withPart(each, rest, change) : (each as unknown),
    ]),
  );
}

/** The header of an ELF file and its table of sections, where libraries believe what they read. */
export function elfHeaders(elf: Uint8Array): readonly (readonly [number, number])[] {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const sections = Number(view.getBigUint64(40, true)) / elf.length;
  return [
    [0, 64 / elf.length],
    [sections, 1],
    [sections, 1],
  ];
}
