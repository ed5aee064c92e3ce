import { KernelRefusal } from '../domain/errors.ts';
import { ENOENT } from './check.ts';
import { objectIds } from './object-ids.ts';
import { BpfProgram } from './program.ts';

/**
 * Every program of this kernel, open while the caller looks at it; one that vanishes meanwhile is left out.
 *
 * @throws KernelRefusal `prog next id`, `prog get by id`
 */
export function* allPrograms(): Generator<BpfProgram> {
  for (const id of objectIds('prog')) {
    let program;
    try {
      program = BpfProgram.byId(id);
    } catch (error) {
      if (error instanceof KernelRefusal && error.errno === ENOENT) continue;
      throw error;
    }
    using open = program;
    yield open;
  }
}
