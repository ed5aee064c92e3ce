import { CPUMAP_MAX_QSIZE, decodeCpumapValue, encodeCpumapValue } from '../../domain/cpumap.ts';
import { decodeDevmapValue, encodeDevmapValue } from '../../domain/devmap.ts';
import { usageError } from '../../domain/errors.ts';
import { encodeInteger, isIntegerSize } from '../../domain/integer.ts';
import type { MapInfo } from '../../domain/map-info.ts';
import { isPerCpu } from '../../domain/map-type.ts';
import type { Typed } from '../../domain/typed-command.ts';
import { possibleCpus } from '../../kernel/cpu.ts';
import { parseBytes } from './bytes.ts';
import { parseInteger, takeInterface } from './key.ts';
import { looksNumeric, parseUnsigned, U32_MAX } from './number.ts';
import { type ProgramHandle, takeProgramHandle } from './program-handle.ts';
import type { WordList } from './word-list.ts';

/** A value in the kernel's layout. */
export interface TypedValue {
  readonly bytes: Uint8Array;
  /** The program whose descriptor belongs into the bytes (`setProgram`); it is not opened before the command is complete. */
  readonly program?: ProgramHandle;
}

/**
 * Takes a VALUE: exactly value-size byte words, or typed words for the map's type. That an interface given by its number
 * exists is left to the kernel.
 *
 * @param buffer where byte words may be put; the result need not be this buffer
 * @throws ToolError usage or not-found
 */
export function takeValue(words: WordList, info: MapInfo, buffer?: Uint8Array): TypedValue {
  if (words.done) throw usageError('the value is missing');
  switch (info.typeName) {
    case 'devmap':
    case 'devmap_hash':
      return devmapValue(words, info, buffer);
    case 'cpumap':
      return cpumapValue(words, info);
    case 'xskmap':
      return xskmapValue(words, info);
    default:
      return otherValue(words, info, buffer);
  }
}

function devmapValue(words: WordList, info: MapInfo, buffer: Uint8Array | undefined): TypedValue {
  if (isByteForm(words)) {
    const bytes = parseBytes(words, info.valueSize, 'value', buffer);
    checkIfindex(decodeDevmapValue(bytes).ifindex);
    return { bytes };
  }
  const ifindex = takeInterface(words, 'the ifindex');
  checkIfindex(ifindex);
  const program = takeProgram(words, info);
  return { bytes: encodeDevmapValue({ ifindex, prog: 0 }, info.valueSize), ...(program && { program }) };
}

function removal({ own }: Typed): string {
  return `an entry is removed by: ${own('map delete MAP key KEY'.split(' '))}`;
}

function checkIfindex(ifindex: number): void {
  if (ifindex === 0) {
    throw usageError('ifindex 0 is no interface', removal);
  }
}

function cpumapValue(words: WordList, info: MapInfo): TypedValue {
  if (isByteForm(words)) {
    const bytes = parseBytes(words, info.valueSize, 'value');
    checkQsize(decodeCpumapValue(bytes).qsize);
    return { bytes };
  }
  words.accept('qsize');
  const qsize = parseUnsigned(words.take('qsize'), 'qsize', U32_MAX);
  checkQsize(qsize);
  const program = takeProgram(words, info);
  return { bytes: encodeCpumapValue({ qsize, prog: 0 }, info.valueSize), ...(program && { program }) };
}

function checkQsize(qsize: number): void {
  if (qsize === 0) {
    throw usageError('qsize 0 would remove the entry', removal);
  }
  if (qsize > CPUMAP_MAX_QSIZE) {
    throw usageError(`qsize ${qsize} is out of range: at most ${CPUMAP_MAX_QSIZE}`);
  }
}

function takeProgram(words: WordList, info: MapInfo): ProgramHandle | undefined {
  if (!words.accept('prog')) return undefined;
  if (info.valueSize < 8) {
    throw usageError(
      `this ${info.typeName} has values of ${info.valueSize} bytes, which have no room for a program`,
      `a program needs a map created with 'value 8'`,
    );
  }
  return takeProgramHandle(words);
}

function xskmapValue(words: WordList, info: MapInfo): TypedValue {
  if (words.accept('fd')) {
    const fd = parseUnsigned(words.take('the descriptor'), 'the descriptor', 0x7fff_ffff);
    return { bytes: encodeInteger(fd, 4) };
  }
  if (!isByteForm(words)) {
    throw usageError(
      `the value of an xskmap is an AF_XDP socket, not '${words.peek()}'`,
      "give the number of an inherited descriptor: 'value fd 3'",
    );
  }
  return { bytes: parseBytes(words, info.valueSize, 'value') };
}

function otherValue(words: WordList, info: MapInfo, buffer: Uint8Array | undefined): TypedValue {
  const { valueSize, typeName } = info;
  const integer = isIntegerSize(valueSize) && (valueSize === 1 || !isByteForm(words));
  const one =
    integer && words.peek() !== 'hex'
      ? encodeInteger(parseInteger(words.take('the value'), 'the value', valueSize), valueSize)
      : parseBytes(words, valueSize, 'value', isPerCpu(typeName) ? undefined : buffer);
  return { bytes: isPerCpu(typeName) ? forEveryCpu(one) : one };
}

/** The same value for each possible CPU, each in 8-byte steps, as BPF_MAP_UPDATE_ELEM of a per-CPU map takes it. */
function forEveryCpu(value: Uint8Array): Uint8Array {
  const step = Math.ceil(value.length / 8) * 8;
  const bytes = new Uint8Array(step * possibleCpus());
  for (let at = 0; at < bytes.length; at += step) bytes.set(value, at);
  return bytes;
}

/** Whether several numbers follow, or `hex`: bpftool's form. */
function isByteForm(words: WordList): boolean {
  return words.peek() === 'hex' || (looksNumeric(words.peek()) && looksNumeric(words.peek(1)));
}
