import { ToolError } from '../domain/errors.ts';

/**
 * libbpf asks the kernel what it can do by trying, and takes any failure for a no: with no memory or descriptor left at
 * that moment, it makes maps and programs without their names (kernel_supports, tools/lib/bpf/libbpf.c). Names are how we
 * and others know them, so that is an error.
 *
 * @param what with its name
 */
export function withoutName(what: string): ToolError {
  return new ToolError('refused', `libbpf would make the ${what} without its name`, {
    hint: 'it tried whether this kernel knows names and failed: is there too little memory, or too few descriptors (ulimit -n)?',
  });
}
