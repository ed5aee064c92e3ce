import type { ProgramInfo } from '../../domain/program-info.ts';
import { programTypeName } from '../../domain/program-type.ts';

/** A program in a sentence: `xdp program 12 (forward)`. */
export function programText({ type, id, name }: ProgramInfo): string {
  const kind = programTypeName(type);
  return `${kind === undefined ? '' : `${kind} `}program ${id}${name === '' ? '' : ` (${name})`}`;
}
