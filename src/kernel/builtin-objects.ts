import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { ToolError } from '../domain/errors.ts';
import { exists } from './access.ts';
import { BPF_F_XDP_HAS_FRAGS, knowsFragments } from './fragment-probe.ts';
import { BpfObject } from './object.ts';
import type { BpfProgram } from './program.ts';

const EXTENSION = '.bpf.o';

/** The compiled objects lie beside dist/, where the bundle is, and beside src/, which this file is in. */
const folders = ['../bpf-objects', '../../bpf-objects'].map((path) => join(import.meta.dirname, path));

/** The names of the XDP programs that come with the tool, e.g. `pass`. */
export function builtinNames(): readonly string[] {
  return readdirSync(folder())
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => file.slice(0, -EXTENSION.length))
    .filter((name) => !isTracer(name))
    .toSorted();
}

/** losses, losses_classic and events listen to tracepoints; what of them can be loaded depends on the kernel. */
function isTracer(name: string): boolean {
  return name.startsWith('losses') || name === 'events';
}

/**
 * Opens an object that comes with the tool, to be changed and loaded.
 *
 * @param name as in bpf-objects/, without `.bpf.o`
 * @throws ToolError not-found for a name that none has; KernelRefusal `object open`
 */
export function openBuiltin(name: string): BpfObject {
  const path = join(folder(), `${name}${EXTENSION}`);
  if (!/^[a-z0-9_]+$/.test(name) || !exists(path)) throw noSuchProgram(name);
  return BpfObject.open(path);
}

function noSuchProgram(name: string): ToolError {
  return new ToolError('not-found', `no program named '${name}' comes with xdpctl`, {
    hint: `there are: ${builtinNames().join(', ')}`,
  });
}

/**
 * Loads an object that consists of one program. It takes frames of several buffers where the kernel knows those, or
 * devices with a large MTU would refuse it.
 *
 * @param options `plain`: not aware of fragments, as every program on a devmap or cpumap must be when the first one was
 * @throws ToolError not-found for a name that none has; KernelRefusal `object open`, `object load`
 */
export function loadBuiltinProgram(name: string, options: { readonly plain?: boolean } = {}): BpfProgram {
  if (isTracer(name)) throw noSuchProgram(name);
  using object = openBuiltin(name);
  const [program] = object.programs;
  if (program === undefined) throw new Error(`${object.path} has no program`);
  if (options.plain !== true && knowsFragments()) program.setFlags(program.flags | BPF_F_XDP_HAS_FRAGS);
  object.load();
  return program.openProgram();
}

function folder(): string {
  const found = folders.find((path) => exists(join(path, `pass${EXTENSION}`)));
  if (found === undefined) {
    throw new ToolError('unsupported', 'the BPF programs that come with xdpctl are not where they were installed', {
      hint: `install xdpctl again; they belong in ${folders[0]}`,
    });
  }
  return found;
}
