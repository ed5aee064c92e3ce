import { littleEndian } from '../domain/byte-order.ts';
import type { EntryChunk } from '../domain/entry-chunk.ts';
import type { Sink } from './sink.ts';

const encoder = new TextEncoder();
const NEWLINE = encoder.encode('\n');
const BLANKS = encoder.encode('  ');

/** The two hexadecimal digits of each byte. */
const hexDigits = encoder.encode(Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''));

/**
 * Writes map entries as bytes, and as integers where keys or values are 1, 2, 4 or 8 bytes, straight into the sink:
 * a map may have millions of entries, and an object for each would cost more than reading them.
 */
export class EntryWriter {
  readonly #keySize: number;
  readonly #valueSize: number;
  readonly #sink: Sink;
  #count = 0;

  constructor(keySize: number, valueSize: number, sink: Sink) {
    this.#keySize = keySize;
    this.#valueSize = valueSize;
    this.#sink = sink;
  }

  /** How many entries were written. */
  get count(): number {
    return this.#count;
  }

  /** Entries `from` to `to` of a chunk as elements of a JSON array, in bpftool's form with `formatted` beside it. */
  json(chunk: EntryChunk, from: number, to: number, pretty: boolean): void {
    const layout = pretty ? prettyLayout : denseLayout;
    const keys = new Integers(chunk.keys, this.#keySize);
    const values = new Integers(chunk.values, this.#valueSize);
    const room = (this.#keySize + this.#valueSize) * 28 + 256;
    for (let index = from; index < to; index += 1) {
      const bytes = this.#sink.reserve(room);
      let at = this.#sink.position;
      at = put(bytes, at, this.#count === 0 ? layout.first : layout.next);
      at = putByteList(bytes, at, chunk.keys, index * this.#keySize, this.#keySize, layout);
      at = put(bytes, at, layout.value);
      at = putByteList(bytes, at, chunk.values, index * this.#valueSize, this.#valueSize, layout);
      if (keys.readable || values.readable) {
        at = put(bytes, at, layout.formatted);
        if (keys.readable) {
          at = put(bytes, at, layout.formattedKey);
          at = keys.putJson(bytes, at, index);
        }
        if (values.readable) {
          at = put(bytes, at, keys.readable ? layout.formattedNext : layout.formattedOnly);
          at = values.putJson(bytes, at, index);
        }
        at = put(bytes, at, layout.formattedEnd);
      } else {
        at = put(bytes, at, layout.end);
      }
      this.#sink.advance(at);
      this.#count += 1;
    }
  }

  /** The header line of the table for people. */
  header(): void {
    const key = this.#keyHeader();
    const value = new Integers(new Uint8Array(0), this.#valueSize).readable ? 'VALUE' : '';
    const cells = [key.padEnd(this.#keyWidth()), 'KEY BYTES'.padEnd(this.#keySize * 3 - 1)];
    if (value !== '') cells.push(value.padEnd(decimalWidth(this.#valueSize)));
    this.#sink.text(`${[...cells, 'VALUE BYTES'].filter((cell) => cell !== '').join('  ')}\n`);
  }

  /** Entries `from` to `to` of a chunk as lines of the table for people. */
  table(chunk: EntryChunk, from: number, to: number): void {
    const keys = new Integers(chunk.keys, this.#keySize);
    const values = new Integers(chunk.values, this.#valueSize);
    const keyBytesWidth = Math.max(this.#keySize * 3 - 1, 'KEY BYTES'.length);
    const room = (this.#keySize + this.#valueSize) * 3 + 128;
    for (let index = from; index < to; index += 1) {
      const bytes = this.#sink.reserve(room);
      let at = this.#sink.position;
      if (keys.readable) {
        at = pad(bytes, keys.putText(bytes, at, index), at + this.#keyWidth());
        at = put(bytes, at, BLANKS);
      }
      const keyStart = at;
      at = putHex(bytes, at, chunk.keys, index * this.#keySize, this.#keySize);
      at = pad(bytes, at, keyStart + keyBytesWidth);
      at = put(bytes, at, BLANKS);
      if (values.readable) {
        const start = at;
        at = pad(bytes, values.putText(bytes, at, index), start + decimalWidth(this.#valueSize));
        at = put(bytes, at, BLANKS);
      }
      at = putHex(bytes, at, chunk.values, index * this.#valueSize, this.#valueSize);
      at = put(bytes, at, NEWLINE);
      this.#sink.advance(at);
      this.#count += 1;
    }
  }

  #keyHeader(): string {
    return new Integers(new Uint8Array(0), this.#keySize).readable ? 'KEY' : '';
  }

  #keyWidth(): number {
    return this.#keyHeader() === '' ? 0 : decimalWidth(this.#keySize);
  }
}

interface Layout {
  readonly first: Uint8Array;
  readonly next: Uint8Array;
  readonly value: Uint8Array;
  readonly byte: Uint8Array;
  readonly nextByte: Uint8Array;
  readonly lastByte: Uint8Array;
  readonly formatted: Uint8Array;
  readonly formattedKey: Uint8Array;
  readonly formattedNext: Uint8Array;
  readonly formattedOnly: Uint8Array;
  readonly formattedEnd: Uint8Array;
  readonly end: Uint8Array;
}

function layoutOf(parts: Readonly<Record<keyof Layout, string>>): Layout {
  return Object.fromEntries(
    Object.entries(parts).map(([name, text]) => [name, encoder.encode(text)]),
  ) as unknown as Layout;
}

const denseLayout = layoutOf({
  first: '{"key":[',
  next: ',{"key":[',
  value: '],"value":[',
  byte: '"0x',
  nextByte: '","0x',
  lastByte: '"',
  formatted: '],"formatted":{',
  formattedKey: '"key":',
  formattedNext: ',"value":',
  formattedOnly: '"value":',
  formattedEnd: '}}',
  end: ']}',
});

const prettyLayout = layoutOf({
  first: '\n    {\n        "key": [',
  next: ',\n    {\n        "key": [',
  value: '],\n        "value": [',
  byte: '"0x',
  nextByte: '", "0x',
  lastByte: '"',
  formatted: '],\n        "formatted": {\n            ',
  formattedKey: '"key": ',
  formattedNext: ',\n            "value": ',
  formattedOnly: '"value": ',
  formattedEnd: '\n        }\n    }',
  end: ']\n    }',
});

/** Copies a short run of bytes; a loop beats `set` for these lengths. */
function put(bytes: Uint8Array, at: number, piece: Uint8Array): number {
  for (let index = 0; index < piece.length; index += 1) bytes[at + index] = piece[index] as number;
  return at + piece.length;
}

function pad(bytes: Uint8Array, at: number, to: number): number {
  let position = at;
  while (position < to) {
    bytes[position] = 32;
    position += 1;
  }
  return position;
}

function putByteList(
  bytes: Uint8Array,
  start: number,
  source: Uint8Array,
  from: number,
  size: number,
  layout: Layout,
): number {
  let at = start;
  for (let index = 0; index < size; index += 1) {
    at = put(bytes, at, index === 0 ? layout.byte : layout.nextByte);
    const digits = (source[from + index] as number) * 2;
    bytes[at] = hexDigits[digits] as number;
    bytes[at + 1] = hexDigits[digits + 1] as number;
    at += 2;
  }
  return size === 0 ? at : put(bytes, at, layout.lastByte);
}

function putHex(bytes: Uint8Array, start: number, source: Uint8Array, from: number, size: number): number {
  let at = start;
  for (let index = 0; index < size; index += 1) {
    if (index > 0) {
      bytes[at] = 32;
      at += 1;
    }
    const digits = (source[from + index] as number) * 2;
    bytes[at] = hexDigits[digits] as number;
    bytes[at + 1] = hexDigits[digits + 1] as number;
    at += 2;
  }
  return at;
}

/** Digits of the largest unsigned integer of so many bytes. */
function decimalWidth(size: number): number {
  return { 1: 3, 2: 5, 4: 10, 8: 20 }[size] ?? 0;
}

/** Unsigned integers in host byte order, one after another in a buffer. */
class Integers {
  readonly readable: boolean;
  readonly #size: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, size: number) {
    this.#size = size;
    this.readable = size === 1 || size === 2 || size === 4 || size === 8;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A JSON number, or a decimal string above 2^53 - 1. */
  putJson(bytes: Uint8Array, at: number, index: number): number {
    if (this.#size === 8) {
      const value = this.#view.getBigUint64(index * 8, littleEndian);
      if (value > Number.MAX_SAFE_INTEGER) return put(bytes, at, encoder.encode(`"${value}"`));
      return putDecimal(bytes, at, Number(value));
    }
    return putDecimal(bytes, at, this.#small(index));
  }

  putText(bytes: Uint8Array, at: number, index: number): number {
    if (this.#size === 8) {
      const value = this.#view.getBigUint64(index * 8, littleEndian);
      return put(bytes, at, encoder.encode(value.toString()));
    }
    return putDecimal(bytes, at, this.#small(index));
  }

  #small(index: number): number {
    if (this.#size === 4) return this.#view.getUint32(index * 4, littleEndian);
    if (this.#size === 2) return this.#view.getUint16(index * 2, littleEndian);
    return this.#view.getUint8(index);
  }
}

const digits = new Uint8Array(20);

/** Writes a whole number up to 2^53 - 1 in decimal. */
function putDecimal(bytes: Uint8Array, start: number, value: number): number {
  let rest = value;
  let length = 0;
  do {
    const quotient = Math.floor(rest / 10);
    digits[length] = 48 + (rest - quotient * 10);
    length += 1;
    rest = quotient;
  } while (rest > 0);
  let at = start;
  while (length > 0) {
    length -= 1;
    bytes[at] = digits[length] as number;
    at += 1;
  }
  return at;
}
