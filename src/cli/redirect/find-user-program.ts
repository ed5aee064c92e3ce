import { existsSync } from 'node:fs';

import { ToolError, usageError } from '../../domain/errors.ts';
import { PROG_TYPE_XDP } from '../../domain/program-info.ts';
import type { PathProgram } from '../../domain/redirect-path.ts';
import { UserObject } from '../../kernel/user-object.ts';

/** BPF_XDP (enum bpf_attach_type, linux/bpf.h): a program for devices, not for map entries. */
const BPF_XDP = 37;

/**
 * The program of a file that is to be attached.
 *
 * @param name undefined: the only one for devices
 * @throws ToolError not-found, or usage when the file has several programs and none is named; KernelRefusal `object open`
 */
export function findUserProgram(file: string, name: string | undefined): PathProgram {
  using object = UserObject.open(file);
  const programs = object.programs.filter((each) => each.type === PROG_TYPE_XDP && each.expectedAttachType === BPF_XDP);
  const all = programs.map((each) => each.name).join(', ');
  if (name === undefined) {
    const [only] = programs;
    if (only !== undefined && programs.length === 1) return pathProgram(object, only.name);
    throw usageError(
      only === undefined ? `${file} has no XDP program for devices` : `${file} has several XDP programs: ${all}`,
      only === undefined ? 'a program with SEC("xdp") is needed' : 'name one with --program',
    );
  }
  if (programs.some((each) => each.name === name)) return pathProgram(object, name);
  const other = object.program(name);
  if (other !== undefined) {
    throw usageError(`program '${name}' of ${file} is for ${other.section}`, 'a program with SEC("xdp") is needed');
  }
  throw new ToolError('not-found', `${file} has no program '${name}'`, { hint: `it has: ${all}` });
}

function pathProgram({ path: file, maps }: UserObject, name: string): PathProgram {
  const pins = maps.flatMap(({ pinPath }) => (pinPath === undefined || existsSync(pinPath) ? [] : [pinPath]));
  return { kind: 'object', file, name, pins };
}
