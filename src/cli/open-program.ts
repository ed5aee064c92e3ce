import { ToolError, usageError } from '../domain/errors.ts';
import { PROG_TYPE_XDP, type ProgramInfo } from '../domain/program-info.ts';
import { loadBuiltinProgram } from '../kernel/builtin-objects.ts';
import { openPin } from '../kernel/pin.ts';
import { allPrograms } from '../kernel/program-list.ts';
import { BpfProgram } from '../kernel/program.ts';
import type { ProgramHandle } from './words/program-handle.ts';

/**
 * Opens the XDP program that a handle names; one that comes with the tool is loaded. The caller closes it.
 *
 * @param section what it must have been loaded as, e.g. `xdp/devmap`, for the message; the kernel alone knows whether it was
 * @throws ToolError not-found, or usage when the name is ambiguous or the object is no XDP program
 */
export function openProgram(handle: ProgramHandle, section: string): BpfProgram {
  const program = openAnyProgram(handle);
  if (program.info.type === PROG_TYPE_XDP) return program;
  program[Symbol.dispose]();
  throw usageError(
    `program ${program.info.id} (${program.info.name}) is not an XDP program`,
    `a program with SEC("${section}") is needed`,
  );
}

/** Opens the program that a handle names, of whatever type. @throws ToolError not-found, or usage when the name is ambiguous */
export function openAnyProgram(handle: ProgramHandle): BpfProgram {
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
      // The kernel keeps no more of a name.
      return theOnly(({ name }) => name === handle.name.slice(0, NAME_MAX), `named '${handle.name}'`);
    case 'tag':
      return theOnly(({ tag }) => tag === handle.tag, `with the tag ${handle.tag}`);
    case 'builtin':
      return loadBuiltinProgram(handle.name, handle);
  }
}

/** BPF_OBJ_NAME_LEN without the final zero (linux/bpf.h). */
const NAME_MAX = 15;

/** @param described completes "there is no program …" */
function theOnly(isMeant: (info: ProgramInfo) => boolean, described: string): BpfProgram {
  const ids: number[] = [];
  for (const { info } of allPrograms()) if (isMeant(info)) ids.push(info.id);
  const [id] = ids;
  if (id === undefined) {
    throw new ToolError('not-found', `there is no program ${described}`, { hint: 'see: xdpctl prog show' });
  }
  if (ids.length > 1) {
    throw usageError(
      `there are ${ids.length} programs ${described}: ids ${ids.join(', ')}`,
      `name one by its id, e.g. id ${id}`,
    );
  }
  return BpfProgram.byId(id);
}
