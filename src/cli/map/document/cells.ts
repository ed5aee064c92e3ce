import { littleEndian } from '../../../domain/byte-order.ts';
import { CPUMAP_MAX_QSIZE } from '../../../domain/cpumap.ts';
import { usageError } from '../../../domain/errors.ts';
import { isIntegerSize } from '../../../domain/integer.ts';
import type { MapInfo } from '../../../domain/map-info.ts';
import type { Interfaces, Programs } from './names.ts';
import { isDevmap } from './transferable.ts';

/** Puts a key or a value of a document into a buffer from `at` on. @throws ToolError usage or not-found */
export type Cell = (json: unknown, view: DataView, at: number) => void;

/** Reads keys: integers, bytes in bpftool's form or, for devmaps, names of interfaces. */
export function keyCell({ keySize, typeName }: MapInfo, interfaces: Interfaces): Cell {
  const plain = plainCell('the key', keySize);
  if (!isDevmap(typeName)) return plain;
  return (json, view, at) => {
    if (typeof json === 'string') view.setUint32(at, interfaces.index(json), littleEndian);
    else plain(json, view, at);
  };
}

/** Reads values of one CPU or of all, or of a redirect map; programs stand in the buffer with their ids. */
export function valueCell(info: MapInfo, valueLength: number, interfaces: Interfaces, programs: Programs): Cell {
  const { typeName, valueSize } = info;
  if (isDevmap(typeName)) {
    const setProgram = programCell(info, programs);
    return (json, view, at) => {
      const { dev, prog } = fieldsOf(json, 'dev');
      if (typeof dev !== 'string') throw usageError('"dev" must be the name of an interface');
      view.setUint32(at, interfaces.index(dev), littleEndian);
      setProgram(prog, view, at + 4);
    };
  }
  if (typeName === 'cpumap') {
    const setProgram = programCell(info, programs);
    return (json, view, at) => {
      const { qsize, prog } = fieldsOf(json, 'qsize');
      if (!isUnsigned(qsize, CPUMAP_MAX_QSIZE) || qsize === 0) {
        throw usageError(`"qsize" must be a whole number from 1 to ${CPUMAP_MAX_QSIZE}`);
      }
      view.setUint32(at, qsize, littleEndian);
      setProgram(prog, view, at + 4);
    };
  }
  const one = plainCell('the value', valueSize);
  if (valueLength === valueSize) return one;
  return perCpuCell(one, Math.ceil(valueSize / 8) * 8, valueLength);
}

function perCpuCell(one: Cell, step: number, valueLength: number): Cell {
  const cpus = valueLength / step;
  return (json, view, at) => {
    if (!Array.isArray(json) || json.length !== cpus) {
      throw usageError(`the value must be an array of ${cpus}: one for each possible CPU of this machine`);
    }
    for (let cpu = 0; cpu < cpus; cpu += 1) one(json[cpu], view, at + cpu * step);
  };
}

/** Reads the program of an entry, which may be absent. */
function programCell({ valueSize, typeName }: MapInfo, programs: Programs): Cell {
  return (json, view, at) => {
    if (json === undefined) return;
    if (typeof json !== 'string') {
      throw usageError('"prog" must be a path, or a name as in name:NAME, tag:TAG or builtin:NAME');
    }
    if (valueSize < 8) {
      throw usageError(
        `this ${typeName} has values of ${valueSize} bytes, which have no room for a program`,
        "a program needs a map created with 'value 8'",
      );
    }
    view.setUint32(at, programs.idOf(json), littleEndian);
  };
}

interface Fields {
  readonly dev?: unknown;
  readonly qsize?: unknown;
  readonly prog?: unknown;
}

/** An object with this field, and perhaps `prog`. An unknown field would be lost silently, so it is refused. */
function fieldsOf(json: unknown, field: 'dev' | 'qsize'): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw usageError(`the value must be an object with "${field}"`);
  }
  for (const name in json) {
    if (name !== field && name !== 'prog') throw usageError(`the value has an unknown key "${name}"`);
  }
  return json;
}

/** Reads integers of 1, 2, 4 or 8 bytes, and bytes. @param what the part of an entry, for messages */
export function plainCell(what: string, size: number): Cell {
  const most = isIntegerSize(size) && size < 8 ? 2 ** (8 * size) - 1 : Number.MAX_SAFE_INTEGER;
  return (json, view, at) => {
    if (typeof json === 'number' && isIntegerSize(size) && isUnsigned(json, most)) {
      if (size === 4) view.setUint32(at, json, littleEndian);
      else if (size === 8) view.setBigUint64(at, BigInt(json), littleEndian);
      else if (size === 2) view.setUint16(at, json, littleEndian);
      else view.setUint8(at, json);
    } else if (size === 8 && typeof json === 'string' && isDecimal64(json)) {
      view.setBigUint64(at, BigInt(json), littleEndian);
    } else if (Array.isArray(json)) setBytes(json, view, at, size, what);
    else throw notPlain(what, size);
  };
}

function notPlain(what: string, size: number): Error {
  const bytes = `an array of ${size} bytes such as "0x0a"`;
  if (!isIntegerSize(size)) return usageError(`${what} must be ${bytes}`);
  const integer = `a whole number of ${size} byte${size === 1 ? '' : 's'}`;
  return usageError(`${what} must be ${integer}${size === 8 ? ' (above 2^53 - 1 as a string)' : ''} or ${bytes}`);
}

function setBytes(json: readonly unknown[], view: DataView, at: number, size: number, what: string): void {
  if (json.length !== size) throw usageError(`${what} is ${size} bytes, and there are ${json.length}`);
  for (let index = 0; index < size; index += 1) {
    const byte: unknown = json[index];
    const value = typeof byte === 'string' && /^0x[0-9a-f]{1,2}$/i.test(byte) ? Number(byte) : byte;
    if (!isUnsigned(value, 255)) throw usageError(`byte ${index} of ${what} must be "0x00" to "0xff"`);
    view.setUint8(at + index, value);
  }
}

function isUnsigned(json: unknown, most: number): json is number {
  return typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= most;
}

function isDecimal64(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,19})$/.test(text) && BigInt(text) <= 0xffff_ffff_ffff_ffffn;
}
