import { usageError, ToolError } from '../../domain/errors.ts';
import { encodeInteger, isIntegerSize } from '../../domain/integer.ts';
import type { MapInfo } from '../../domain/map-info.ts';
import { checkKeyInside } from '../../domain/map-key.ts';
import { aMapOf, unreadableReason } from '../../domain/map-type.ts';
import { interfaceIndex } from '../../kernel/interface-names.ts';
import { noInterface } from '../no-interface.ts';
import { parseBytes } from './bytes.ts';
import { looksNumeric, parseUnsigned, parseUnsigned64 } from './number.ts';
import type { WordList } from './word-list.ts';

/**
 * Takes a KEY: exactly key-size byte words (`hex` first makes them hexadecimal), or one typed word: an unsigned integer
 * in host byte order or, for devmaps, an interface's name (its ifindex); `dev` forces a name.
 *
 * @param buffer where byte words may be put; the result need not be this buffer
 * @throws ToolError usage for a key that the map cannot have, not-found for an unknown interface
 */
export function takeKey(words: WordList, info: MapInfo, buffer?: Uint8Array): Uint8Array {
  const key = readKey(words, info, buffer);
  checkKeyInside(key, info);
  return key;
}

function readKey(words: WordList, info: MapInfo, buffer: Uint8Array | undefined): Uint8Array {
  const { keySize } = info;
  if (keySize === 0) throw keyless(info);
  const word = words.peek();
  if (word === undefined) throw usageError('the key is missing');
  const forced = isDevmap(info) && word === 'dev';
  if (!forced && (word === 'hex' || (keySize > 1 && looksNumeric(words.peek(1))))) {
    return parseBytes(words, keySize, 'key', buffer);
  }
  const named = isDevmap(info) && !looksNumeric(word);
  if (named) return encodeInteger(takeInterface(words, 'the key'), keySize);
  if (!isIntegerSize(keySize)) return parseBytes(words, keySize, 'key');
  return encodeInteger(parseInteger(words.take('the key'), 'the key', keySize), keySize);
}

function keyless({ typeName }: MapInfo): ToolError {
  const reason = unreadableReason(typeName) ?? 'it has no keys';
  return new ToolError('unsupported', `there are no keys in ${aMapOf(typeName ?? 'map of this type')}: ${reason}`);
}

/** A typed integer of 1, 2, 4 or 8 bytes. @throws ToolError usage */
export function parseInteger(word: string, what: string, size: number): number | bigint {
  return size === 8 ? parseUnsigned64(word, what) : parseUnsigned(word, what, 2 ** (8 * size) - 1);
}

/** Takes `[dev] NAME` or a number: an ifindex. `dev` forces a name, because an interface may be called `5`. */
export function takeInterface(words: WordList, what: string): number {
  if (words.accept('dev')) return indexOf(words.take(`${what}'s interface`));
  const word = words.take(what);
  if (looksNumeric(word)) return parseUnsigned(word, what, 0x7fff_ffff);
  return indexOf(word);
}

function indexOf(name: string): number {
  if (name === '') throw usageError("the interface's name is an empty word");
  const ifindex = interfaceIndex(name);
  if (ifindex === undefined) throw noInterface(`'${name}'`);
  return ifindex;
}

function isDevmap({ typeName }: MapInfo): boolean {
  return typeName === 'devmap' || typeName === 'devmap_hash';
}
