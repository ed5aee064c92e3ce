import { KernelRefusal } from '../../domain/errors.ts';
import { replacementsWithin } from '../../kernel/link-list.ts';
import { ownConfigOf } from '../../kernel/own-program.ts';
import { BpfProgram, readProgramMapIds } from '../../kernel/program.ts';

/**
 * The ids of the maps that an attached program uses, itself or in the programs that replace functions of it, as the
 * components of libxdp's dispatcher do.
 *
 * @returns undefined when it may not be looked at (CAP_SYS_ADMIN), or has gone
 */
export function mapsOfAttached(programId: number): readonly number[] | undefined {
  const own = mapsOf(programId);
  if (own === undefined) return undefined;
  return [...own, ...replacementsWithin(programId).flatMap((id) => mapsOf(id) ?? [])];
}

/** Whether an attached program is one of ours that looks sockets up by receive queue; others may use any keys. */
export function looksUpByQueue(programId: number): boolean {
  try {
    using program = BpfProgram.byId(programId);
    const config = ownConfigOf(program.info.name, readProgramMapIds(program.fd));
    return config !== undefined && 'key' in config && config.key === 'queue';
  } catch (error) {
    if (error instanceof KernelRefusal) return false;
    throw error;
  }
}

function mapsOf(programId: number): readonly number[] | undefined {
  try {
    using program = BpfProgram.byId(programId);
    return readProgramMapIds(program.fd);
  } catch (error) {
    if (error instanceof KernelRefusal) return undefined;
    throw error;
  }
}
