import type * as Fs from 'node:fs';

import type { Libbpf } from '../../../src/ffi/libbpf.ts';

/*
 * Kills a command at any of its moments without a process to kill: after so many changes to the kernel's state, no further
 * one happens, whatever the command still tries on its way out. Only descriptors are closed, as for a process that dies.
 *
 *     vi.mock('node:fs', async (original) => killableFs(await original()));
 *     vi.mock('../../src/ffi/libbpf.ts', async (original) => killableLibbpf(await original()));
 */

class Killed extends Error {}

let left = Number.POSITIVE_INFINITY;
let tried = false;

/** Whether the command tried to change more than it was allowed to. */
export function wasKilled(): boolean {
  return tried;
}

/** From now on so many changes are allowed; all of them without a number. */
export function allowChanges(count = Number.POSITIVE_INFINITY): void {
  left = count;
  tried = false;
}

const fsChanges = ['mkdirSync', 'renameSync', 'rmdirSync', 'unlinkSync', 'symlinkSync'] as const;

export function killableFs(fs: typeof Fs): object {
  return { ...fs, ...Object.fromEntries(fsChanges.map((name) => [name, killable(fs[name])])) };
}

const libbpfChanges: readonly (keyof Libbpf)[] = [
  'bpf_obj_pin',
  'bpf_object__load',
  'bpf_map_create',
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
  'bpf_xdp_attach',
  'bpf_xdp_detach',
  'bpf_link_create',
  'bpf_link_update',
  'bpf_link_detach',
];

export function killableLibbpf(module: { readonly libbpf: Libbpf }): object {
  const { libbpf } = module;
  const changes = libbpfChanges.map((name) => [name, killable((...args: unknown[]) => call(libbpf, name, args))]);
  const wrapped: object = Object.assign(Object.create(libbpf) as object, Object.fromEntries(changes));
  return { ...module, libbpf: wrapped };
}

function call(libbpf: Libbpf, name: keyof Libbpf, args: unknown[]): unknown {
  return Reflect.apply(libbpf[name], libbpf, args) as unknown;
}

function killable(change: unknown): unknown {
  return (...args: unknown[]) => {
    if (left <= 0) {
      tried = true;
      throw new Killed('killed');
    }
    left -= 1;
    return (change as (...words: unknown[]) => unknown)(...args);
  };
}
