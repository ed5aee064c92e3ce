import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

import type * as Koffi from 'koffi';

/** The part of koffi's interface that this room uses. */
export type KoffiModule = typeof Koffi;

let loaded: KoffiModule | undefined;

/**
 * The FFI library, loaded on first use: it costs 2 ms, which commands that make no system call need not pay.
 *
 * @throws LibraryError when koffi or its native part is not installed
 */
export function koffi(): KoffiModule {
  if (loaded === undefined) {
    try {
      loaded = loadKoffi(createRequire(import.meta.filename));
    } catch (cause) {
      throw new LibraryError('koffi', undefined, cause);
    }
  }
  return loaded;
}

/**
 * Loads koffi in the fastest way there is; it is required, not imported, because the ESM loader would cost another 3 ms.
 * Its native part, in a package of its own beside it, has all that this room uses: the entries of the two packages only
 * search for it, and add what older callers need (4 ms). A folder is told to Node, not a name, because for names it would
 * load its resolver of ES modules (3 ms).
 */
function loadKoffi(require: NodeJS.Require): KoffiModule {
  const home = (require.resolve.paths('koffi') ?? []).find((folder) => existsSync(`${folder}/koffi`));
  if (home === undefined) return require('koffi') as KoffiModule;
  const binary = `${home}/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
  if (existsSync(binary) && !maybeOnMusl()) {
    const addon = { exports: {} };
    process.dlopen(addon, binary);
    if ('load' in addon.exports) return addon.exports as KoffiModule;
  }
  return require(`${home}/koffi`) as KoffiModule;
}

/** Whether this process can be linked against musl, for which koffi has another binary: musl's loader is there then. */
function maybeOnMusl(): boolean {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string];
  return machine === undefined || existsSync(`/lib/ld-musl-${machine}.so.1`);
}

/** A shared library or one of its functions that this machine does not have. */
export class LibraryError extends Error {
  override readonly name = 'LibraryError';
  readonly library: string;
  /** The missing function; undefined when the library itself is missing. */
  readonly symbol: string | undefined;

  constructor(library: string, symbol: string | undefined, cause: unknown) {
    super(symbol === undefined ? `cannot load ${library}` : `${library} has no ${symbol}`, { cause });
    this.library = library;
    this.symbol = symbol;
  }
}

/** Whether the dynamic loader finds a library of this name, and can load it. */
export function canLoad(file: string): boolean {
  try {
    koffi().load(file);
    return true;
  } catch {
    return false;
  }
}

/** Result type and argument types of a C function, in koffi's words. */
export type Signature = readonly [result: string, parameters: readonly string[]];

/**
 * An object with a method for each signature. The library is opened, and each function bound, when it is first
 * used: binding costs 5 µs, opening 0.5 ms.
 *
 * @throws LibraryError on use, when the library or the function is missing
 */
export function bindLibrary<Functions extends object>(
  file: string | null,
  signatures: Readonly<Record<keyof Functions, Signature>>,
): Functions {
  let library: Koffi.LibraryHandle | undefined;
  const bind = (name: keyof Functions & string): unknown => {
    const [result, parameters] = signatures[name];
    const { load } = koffi();
    try {
      library ??= load(file);
    } catch (cause) {
      throw new LibraryError(file ?? 'libc', undefined, cause);
    }
    try {
      return library.func(name, result, [...parameters]);
    } catch (cause) {
      throw new LibraryError(file ?? 'libc', name, cause);
    }
  };
  // Asked only for what the object itself does not have yet: a bound function is called without this detour.
  const unbound = new Proxy(
    {},
    {
      get(target, name) {
        if (!Object.hasOwn(signatures, name)) return Reflect.get(target, name) as unknown;
        const value = bind(name as keyof Functions & string);
        Object.defineProperty(functions, name, { value, enumerable: true });
        return value;
      },
    },
  );
  const functions = Object.create(unbound) as Functions;
  return functions;
}
