/**
 * V8's code cache of a part of the bundle: its machine-independent code, so that V8 need not read the text at each start. It is for
 * this version of V8 and this architecture only; bin/xdpctl, which uses it, does without where there is none.
 */
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

/** As in bin/xdpctl. */
const BUFFER = 1 << 20;

/**
 * @param {string} path of the part
 * @param {string} text of the part
 * @returns {{ text: string, name: string, cache: Buffer }} the text of a function, which bin/xdpctl calls as require() would,
 *   with a first line that names its cache; the file in dist/cache/ that the cache belongs in
 * @throws Error where bin/xdpctl could not read them
 */
export function withCodeCache(path, text) {
  // V8 compares no more than the lengths of the text and of what a cache was made from.
  const id = createHash('sha256').update(text).digest('hex').slice(0, 16);
  // Here and not when it is loaded: putting texts together takes V8 as much memory again.
  const named = `// cache: ${id}\n(function(exports,require,module,__filename,__dirname){${text}\n})`;
  const cache = compile(path, named);
  if (/[^\0-\x7f]/.test(named)) throw new Error(`${path} is not ASCII, as which bin/xdpctl reads it`);
  if (Math.max(named.length, cache.length) >= BUFFER) throw new Error(`${path} is too large for bin/xdpctl`);
  return { text: named, name: `${id}-${process.versions.v8}-${process.arch}`, cache };
}

/** Compiles functions now that V8 would leave until they are called: what is in the cache is never read again. */
function compile(filename, text) {
  setFlagsFromString('--no-lazy');
  try {
    const script = new Script(text, { filename });
    // A cache tells the flags that it was made with, and is rejected under others.
    setFlagsFromString('--lazy');
    return script.createCachedData();
  } finally {
    setFlagsFromString('--lazy');
  }
}
