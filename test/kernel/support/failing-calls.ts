import { koffi } from '../../../src/ffi/koffi.ts';
import type { Libbpf } from '../../../src/ffi/libbpf.ts';
import type { Libc } from '../../../src/ffi/libc.ts';

/*
 * Makes any one call into C fail, and keeps account of what is mapped.
 *
 *     vi.mock('../../src/ffi/libc.ts', async (original) => failingLibc(await original()));
 *     vi.mock('../../src/ffi/libbpf.ts', async (original) => failingLibbpf(await original()));
 */

/** Errno that the failing call gives: one that nothing waits for or takes for an answer. */
export const EIO = 5;

/** Calls that take back, or ask the system nothing. */
const neverFail = /^(?:close|munmap|getpagesize|vsnprintf|libbpf_.*)$/;
/** Functions of libbpf's objects look into its memory, but for these. */
const ofObjects = /__(?!load$|open_|reuse_fd$)/;

let left = Number.POSITIVE_INFINITY;
let struck: string | undefined;
let noted: string[] = [];
/** Lengths of what is mapped, by address. */
const mappings = new Map<string, number>();

/** From now on the call after `count` others fails, once; none without a number. */
export function failAfter(count = Number.POSITIVE_INFINITY): void {
  left = count;
  struck = undefined;
}

/** Name of the call that failed. */
export function failedCall(): string | undefined {
  return struck;
}

/** From now on the names of all calls are noted, in order. */
export function noteCalls(): readonly string[] {
  noted = [];
  return noted;
}

/** Does something whose calls neither count nor fail. */
export function undisturbed<Result>(act: () => Result): Result {
  const kept = left;
  left = Number.POSITIVE_INFINITY;
  try {
    return act();
  } finally {
    left = kept;
  }
}

/** Bytes that were mapped and not unmapped. */
export function mappedBytes(): number {
  return [...mappings.values()].reduce((sum, length) => sum + length, 0);
}

type Call = ((...args: unknown[]) => unknown) & { async?: (...args: unknown[]) => void };

export function failingLibc(module: { readonly libc: Libc }): object {
  return { ...module, libc: wrap(module.libc, (name) => failedLibc(name)) };
}

export function failingLibbpf(module: { readonly libbpf: Libbpf }): object {
  return { ...module, libbpf: wrap(module.libbpf, (name) => failedLibbpf(name)) };
}

function failedLibc(name: string): unknown {
  koffi().errno(EIO);
  return name === 'mmap' ? null : -1;
}

/** Those that return a pointer give NULL and leave the reason in errno. */
function failedLibbpf(name: string): unknown {
  koffi().errno(EIO);
  return name.startsWith('bpf_object__open_') ? null : -EIO;
}

function wrap(library: object, fail: (name: string) => unknown): object {
  const wrapped = new Map<string, Call>();
  // The library's own functions, once bound, are properties that no proxy of it may show another way.
  return new Proxy(
    {},
    {
      get(_, name: string) {
        let call = wrapped.get(name);
        if (call === undefined) {
          call = wrapCall(name, Reflect.get(library, name) as Call, fail);
          wrapped.set(name, call);
        }
        return call;
      },
    },
  );
}

function wrapCall(name: string, original: Call, fail: (name: string) => unknown): Call {
  const call: Call = (...args) => (strikes(name) ? fail(name) : account(name, args, original(...args)));
  call.async = (...args) => {
    if (!strikes(name)) return original.async?.(...args);
    const done = args.pop() as (error: null, result: unknown) => void;
    setImmediate(() => done(null, fail(name)));
  };
  return call;
}

function strikes(name: string): boolean {
  noted.push(name);
  if (neverFail.test(name) || ofObjects.test(name)) return false;
  left -= 1;
  if (left !== -1) return false;
  struck = name;
  return true;
}

function account(name: string, args: unknown[], result: unknown): unknown {
  if (name === 'mmap' && result !== null) {
    const address = koffi().address(result);
    if (address !== 0xffff_ffff_ffff_ffffn) mappings.set(String(address), args[1] as number);
  }
  if (name === 'munmap') mappings.delete(String(koffi().address(args[0])));
  return result;
}
