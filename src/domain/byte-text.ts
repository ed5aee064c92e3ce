/*
 * Names of interfaces are bytes to the kernel, mostly UTF-8. A byte that is none stands in a string as a lone low
 * surrogate, U+DC80 to U+DCFF, so that the name can be told back to the kernel, and to a shell, as it was. (Python does
 * the same, see PEP 383.)
 */

/** Where the byte 0 would be; UTF-8 has no bytes below 0x80 that could be wrong. */
const BYTES = 0xdc00;

// A byte order mark at its beginning is part of a name.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const REPLACEMENT = '\ufffd';

/** The text that bytes are. */
export function textOfBytes(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.includes(REPLACEMENT) ? decodedWithRawBytes(bytes) : text;
}

function decodedWithRawBytes(bytes: Uint8Array): string {
  let text = '';
  let start = 0;
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += decoder.decode(bytes.subarray(start, at)) + String.fromCharCode(BYTES + (bytes[at] ?? 0));
    at += 1;
    start = at;
  }
  return text + decoder.decode(bytes.subarray(start));
}

/** How many bytes the character has that begins there; 0 where none does (Unicode, table 3-7). */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const [least, most] = secondBytes[first] ?? [0x80, 0xbf];
  for (let index = 1; index < length; index += 1) {
    const byte = bytes[at + index] ?? 0;
    if (byte < (index === 1 ? least : 0x80) || byte > (index === 1 ? most : 0xbf)) return 0;
  }
  return length;
}

/** What may follow some first bytes: no longer forms than needed, no surrogates, nothing beyond U+10FFFF. */
const secondBytes: Readonly<Record<number, readonly [least: number, most: number]>> = {
  0xe0: [0xa0, 0xbf],
  0xed: [0x80, 0x9f],
  0xf0: [0x90, 0xbf],
  0xf4: [0x80, 0x8f],
};

/** The bytes that a text is; other lone surrogates become U+FFFD. */
export function bytesOfText(text: string): Uint8Array {
  const encoder = new TextEncoder();
  if (text.isWellFormed()) return encoder.encode(text);
  return Uint8Array.from(
    Array.from(text).flatMap((character) => {
      const byte = rawByte(character);
      return byte === undefined ? [...encoder.encode(character)] : [byte];
    }),
  );
}

/** The byte that a character stands for that is not UTF-8; undefined for all other characters. */
export function rawByte(character: string): number | undefined {
  const code = character.charCodeAt(0);
  return character.length === 1 && code >= BYTES + 0x80 && code <= BYTES + 0xff ? code - BYTES : undefined;
}
