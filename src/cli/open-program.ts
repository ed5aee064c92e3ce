import { ToolError, usageError } from '../domain/errors.ts';
import { PROG_TYPE_XDP } from '../domain/program-info.ts';
import { openPin } from '../kernel/pin.ts';
import { allPrograms } from '../kernel/program-list.ts';
import { BpfProgram } from '../kernel/program.ts';
import type { Handle } from './words/handle.ts';

/**
 * Opens the XDP program that a handle names. The caller closes it.
 *
 * @param section what it must have been loaded as, e.g. `xdp/devmap`, for the message; the kernel alone knows whether it was
 * @throws ToolError not-found, or usage when the name is ambiguous or the object is no XDP program
 */
export function openProgram(handle: Handle, section: string): BpfProgram {
  const program = open(handle);
  if (program.info.type === PROG_TYPE_XDP) return program;
  program[Symbol.dispose]();
  throw usageError(
    `program ${program.info.id} (${program.info.name}) is not an XDP program`,
    `a program with SEC("${section}") is needed`,
  );
}

function open(handle: Handle): BpfProgram {
  switch (handle.by) {
    case 'id':
      return BpfProgram.byId(handle.id);
    case 'pinned': {
      const { kind, fd } = openPin(handle.path);
      if (kind === 'prog') return new BpfProgram(fd);
      fd[Symbol.dispose]();
      throw usageError(`${handle.path} is a pinned ${kind}, not a program`);
    }
    case 'name':
      return byName(handle.name);
  }
}

function byName(name: string): BpfProgram {
  const ids: number[] = [];
  for (const program of allPrograms()) if (program.info.name === name) ids.push(program.info.id);
  const [id] = ids;
  if (id === undefined) throw new ToolError('not-found', `there is no program named '${name}'`);
  if (ids.length > 1) {
    throw usageError(
      `${ids.length} programs are named '${name}': ids ${ids.join(', ')}`,
      `name one by its id, e.g. id ${id}`,
    );
  }
  return BpfProgram.byId(id);
}
