import { KernelRefusal, ToolError, usageError } from '../domain/errors.ts';
import { PROG_TYPE_XDP, type ProgramInfo } from '../domain/program-info.ts';
import { loadBuiltinProgram } from '../kernel/builtin-objects.ts';
import { ENOENT } from '../kernel/check.ts';
import { openPin } from '../kernel/pin.ts';
import { allPrograms } from '../kernel/program-list.ts';
import { BpfProgram } from '../kernel/program.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { ProgramHandle } from './words/program-handle.ts';

/**
 * Opens the XDP program that a handle names; one that comes with the tool is loaded. The caller closes it.
 *
 * @param section what it must have been loaded as, e.g. `xdp/devmap`, for the message; the kernel alone knows whether it was
 * @param rehearsal the pins that a batch would have made, while its lines are only checked
 * @throws ToolError not-found, or usage when the name is ambiguous or the object is no XDP program
 */
export function openProgram(handle: ProgramHandle, section: string, rehearsal?: Rehearsal): BpfProgram {
  const program = openAnyProgram(handle, rehearsal);
  if (program.info.type === PROG_TYPE_XDP) return program;
  program[Symbol.dispose]();
  throw usageError(
    `program ${program.info.id} (${program.info.name}) is not an XDP program`,
    `a program with SEC("${section}") is needed`,
  );
}

/** Opens the program that a handle names, of whatever type. @throws ToolError not-found, or usage when the name is ambiguous */
export function openAnyProgram(handle: ProgramHandle, rehearsal?: Rehearsal): BpfProgram {
  switch (handle.by) {
    case 'id':
      return BpfProgram.byId(handle.id);
    case 'pinned':
      return rehearsed(handle.path, rehearsal) ?? openByPin(handle.path);
    case 'name':
      // The kernel keeps no more of a name.
      return theOnly(({ name }) => name === handle.name.slice(0, NAME_MAX), `named '${handle.name}'`);
    case 'tag':
      return theOnly(({ tag }) => tag === handle.tag, `with the tag ${handle.tag}`);
    case 'builtin':
      return loadBuiltinProgram(handle.name, handle);
  }
}

function openByPin(path: string): BpfProgram {
  const { kind, fd } = openPin(path);
  if (kind === 'prog') return new BpfProgram(fd);
  fd[Symbol.dispose]();
  throw usageError(`${path} is a pinned ${kind}, not a program`);
}

/** The program that a line before this one would have pinned there. */
function rehearsed(path: string, rehearsal: Rehearsal | undefined): BpfProgram | undefined {
  const planned = rehearsal?.pinned(path);
  if (planned === undefined) return undefined;
  if (planned === null) throw new KernelRefusal('pin get', ENOENT, { path });
  if (planned instanceof BpfProgram) return planned.duplicate();
  throw usageError(`${path} is a pinned map, not a program`);
}

/** BPF_OBJ_NAME_LEN without the final zero (linux/bpf.h). */
const NAME_MAX = 15;

/** @param described completes "there is no program …" */
function theOnly(isMeant: (info: ProgramInfo) => boolean, described: string): BpfProgram {
  const ids: number[] = [];
  for (const { info } of allPrograms()) if (isMeant(info)) ids.push(info.id);
  const [id] = ids;
  if (id === undefined) {
    throw new ToolError('not-found', `there is no program ${described}`, {
      hint: ({ own }) => `see: ${own(['prog', 'show'])}`,
    });
  }
  if (ids.length > 1) {
    throw usageError(
      `there are ${ids.length} programs ${described}: ids ${ids.join(', ')}`,
      `name one by its id: id ${id}, as an option's value id:${id}`,
    );
  }
  return BpfProgram.byId(id);
}
