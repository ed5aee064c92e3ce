import { littleEndian } from '../../../domain/byte-order.ts';
import { decodeCpumapValue } from '../../../domain/cpumap.ts';
import { decodeDevmapValue } from '../../../domain/devmap.ts';
import { hexWords } from '../../../domain/hex.ts';
import { isIntegerSize } from '../../../domain/integer.ts';
import { isPerCpu } from '../../../domain/map-type.ts';
import { interfaceName } from '../../../kernel/interface-names.ts';
import type { BpfMap } from '../../../kernel/map.ts';
import { jsonText } from '../../../output/json.ts';
import type { Omissions } from './omissions.ts';
import type { ProgramTexts } from './program-texts.ts';
import { isDevmap } from './transferable.ts';

/** Part of an entry as JSON text: bytes of a buffer from `at` on; undefined when the entry cannot be replayed. */
export type PartText = (bytes: Uint8Array, at: number) => string | undefined;

export interface EntryTexts {
  readonly key: PartText;
  readonly value: PartText;
}

/** What turns the entries of a map into JSON text, with names for numbers. */
export function entryTexts(
  map: BpfMap,
  { keyNames, programs, omissions }: { keyNames: boolean; programs: ProgramTexts; omissions: Omissions },
): EntryTexts {
  const { keySize, valueSize, typeName } = map.info;
  const interfaces = interfaceTexts(omissions);
  const key: PartText = keyNames
    ? (bytes, at) => interfaces(u32(bytes, at))
    : plainText(typeName === 'lpm_trie' ? 'bytes' : 'integer', keySize);
  if (isDevmap(typeName)) {
    return {
      key,
      value(bytes, at) {
        const { ifindex, prog } = decodeDevmapValue(bytes.subarray(at, at + valueSize));
        const dev = interfaces(ifindex);
        const program = prog === 0 ? '' : programs.text(prog);
        if (dev === undefined || program === undefined) return undefined;
        return `{"dev":${dev}${program === '' ? '' : `,"prog":${program}`}}`;
      },
    };
  }
  if (typeName === 'cpumap') {
    return {
      key,
      value(bytes, at) {
        const { qsize, prog } = decodeCpumapValue(bytes.subarray(at, at + valueSize));
        const program = prog === 0 ? '' : programs.text(prog);
        return program === undefined ? undefined : `{"qsize":${qsize}${program === '' ? '' : `,"prog":${program}`}}`;
      },
    };
  }
  if (isPerCpu(typeName)) return { key, value: perCpuText(map) };
  return { key, value: plainText('integer', valueSize) };
}

/** The value of each CPU, in an array. */
function perCpuText(map: BpfMap): PartText {
  const { valueSize } = map.info;
  const step = Math.ceil(valueSize / 8) * 8;
  const one = plainText('integer', valueSize);
  return (bytes, at) => {
    const texts: (string | undefined)[] = [];
    for (let from = at; from < at + map.valueLength; from += step) texts.push(one(bytes, from));
    return `[${texts.join(',')}]`;
  };
}

/** An integer where the size is that of one, else bytes in bpftool's form. */
function plainText(form: 'integer' | 'bytes', size: number): PartText {
  if (form === 'bytes' || !isIntegerSize(size)) {
    return (bytes, at) => JSON.stringify(hexWords(bytes.subarray(at, at + size)));
  }
  if (size === 4) return (bytes, at) => String(u32(bytes, at));
  if (size === 1) return (bytes, at) => String(bytes[at]);
  return (bytes, at) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, size);
    if (size === 2) return String(view.getUint16(0, littleEndian));
    const value = view.getBigUint64(0, littleEndian);
    return value > Number.MAX_SAFE_INTEGER ? `"${value}"` : String(value);
  };
}

function u32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return (littleEndian ? a | (b << 8) | (c << 16) | (d << 24) : (a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** Interfaces by name as JSON text, each looked up once. */
function interfaceTexts(omissions: Omissions): (ifindex: number) => string | undefined {
  const known = new Map<number, string | undefined>();
  return (ifindex) => {
    if (!known.has(ifindex)) {
      const name = interfaceName(ifindex);
      known.set(ifindex, name === undefined ? undefined : jsonText(name, false));
    }
    const text = known.get(ifindex);
    if (text === undefined) omissions.because('interface', `ifindex ${ifindex}`);
    return text;
  };
}
