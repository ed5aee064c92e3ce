import { join } from 'node:path';

/** The file of an object that comes with the tool, for tools other than ours. */
export function builtinPath(name: string): string {
  return join(import.meta.dirname, '..', '..', 'bpf-objects', `${name}.bpf.o`);
}
