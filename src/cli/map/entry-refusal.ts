import { decodeCpumapValue } from '../../domain/cpumap.ts';
import { decodeDevmapValue } from '../../domain/devmap.ts';
import { KernelRefusal, ToolError, usageError } from '../../domain/errors.ts';
import { decodeInteger } from '../../domain/integer.ts';
import { EBADF, EINVAL, ENOMEM, ENOTSOCK } from '../../kernel/check.ts';
import { possibleCpuList } from '../../kernel/cpu.ts';
import { interfaceName } from '../../kernel/interface-names.ts';
import type { BpfMap } from '../../kernel/map.ts';
import { isEntryProgram } from '../../kernel/program-kind.ts';
import type { BpfProgram } from '../../kernel/program.ts';
import { noInterface } from '../no-interface.ts';
import { mapText } from './map-text.ts';

/** An entry that was to be written. */
export interface WrittenEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** The program that the value names, when it was found for the user. */
  readonly program?: BpfProgram | undefined;
}

/**
 * The error for an entry that the kernel refused. Its errno stands for several reasons: a target that is gone, a
 * descriptor that is none, a program of another kind, a program that does not go with the map. This finds out which.
 */
export function refusedEntry(error: unknown, map: BpfMap, entry: WrittenEntry): unknown {
  if (!(error instanceof KernelRefusal)) return error;
  const { operation, errno, facts } = error;
  switch (map.info.typeName) {
    case 'devmap':
    case 'devmap_hash': {
      if (errno !== EINVAL) return error;
      const { ifindex, prog } = decodeDevmapValue(entry.value);
      return missingTarget(ifindex) ?? refusedProgram(map, 'devmap', prog, entry) ?? error;
    }
    case 'cpumap': {
      const { prog } = decodeCpumapValue(entry.value);
      // __cpu_map_entry_alloc fails for several reasons: cpu_map_update_elem made ENOMEM of each, but not in Linux 7.2.
      if (errno === EINVAL || errno === EBADF || errno === ENOMEM) {
        return refusedProgram(map, 'cpumap', prog, entry) ?? error;
      }
      const cpu = Number(decodeInteger(entry.key));
      return new KernelRefusal(operation, errno, { ...facts, cpu, possibleCpus: possibleCpuList().join(', ') });
    }
    case 'xskmap':
      if (errno !== EBADF && errno !== ENOTSOCK) return error;
      return new KernelRefusal(operation, errno, { ...facts, valueFd: Number(decodeInteger(entry.value)) });
    case undefined:
    default:
      return error;
  }
}

/** Refuses an entry as the kernel would, as far as that can be told without writing it. @throws ToolError */
export function checkEntry({ info }: BpfMap, { value, program }: WrittenEntry): void {
  const { typeName } = info;
  if (typeName === 'devmap' || typeName === 'devmap_hash') {
    const missing = missingTarget(decodeDevmapValue(value).ifindex);
    if (missing !== undefined) throw missing;
  }
  if (program !== undefined) checkKind(program, typeName === 'cpumap' ? 'cpumap' : 'devmap');
}

/** @throws ToolError usage for a program that was not loaded for entries of this kind of map */
export function checkKind(program: BpfProgram, kind: 'devmap' | 'cpumap'): void {
  if (isEntryProgram(program.fd, kind)) return;
  throw usageError(
    `${programName(program)} was not loaded for xdp/${kind}, which a program in an entry of a ${kind} must be`,
    `load it with SEC("xdp/${kind}")`,
  );
}

/** The error for an interface that does not exist, or undefined. */
function missingTarget(ifindex: number): ToolError | undefined {
  if (interfaceName(ifindex) !== undefined) return undefined;
  return noInterface(`with ifindex ${ifindex}`, 'map update');
}

/** The error for a program that has no place in the map's entries, or undefined when it is not the program's fault. */
function refusedProgram(
  { info }: BpfMap,
  kind: 'devmap' | 'cpumap',
  fd: number,
  { program }: WrittenEntry,
): ToolError | undefined {
  // 0 and -1 stand for no program (struct bpf_devmap_val, linux/bpf.h).
  if (fd === 0 || fd === 0xffff_ffff) return undefined;
  if (program === undefined) {
    return usageError(
      `descriptor ${fd}, in bytes 4 to 7 of the value, is no open program that ${mapText(info)} takes`,
      "a program is named in words: 'value … prog id N'",
    );
  }
  checkKind(program, kind);
  return usageError(
    `${programName(program)} and ${mapText(info)} do not go together: one handles fragments (xdp.frags), the other does not`,
    `the first program that used the map has decided for good; load this one with or without .frags in SEC("xdp/${kind}"), or create a new map`,
  );
}

function programName({ info: { id, name } }: BpfProgram): string {
  return `program ${id}${name === '' ? '' : ` (${name})`}`;
}
