import { KernelRefusal } from '../../../domain/errors.ts';
import { BpfProgram } from '../../../kernel/program.ts';

/** A program in an entry: the name is left out when it cannot be found out. */
export interface ProgramRef {
  readonly id: number;
  readonly name?: string;
}

/** Names programs by id, each looked up once; undefined for id 0, which means no program. */
export function programNames(): (id: number) => ProgramRef | undefined {
  const known = new Map<number, ProgramRef>();
  return (id) => {
    if (id === 0) return undefined;
    let ref = known.get(id);
    if (ref === undefined) {
      ref = lookUp(id);
      known.set(id, ref);
    }
    return ref;
  };
}

function lookUp(id: number): ProgramRef {
  try {
    using program = BpfProgram.byId(id);
    return program.info.name === '' ? { id } : { id, name: program.info.name };
  } catch (error) {
    if (error instanceof KernelRefusal) return { id };
    throw error;
  }
}

/** The program for people: `egress (12)`. */
export function programText(ref: ProgramRef | undefined): string {
  if (ref === undefined) return '';
  return ref.name === undefined ? `id ${ref.id}` : `${ref.name} (${ref.id})`;
}
