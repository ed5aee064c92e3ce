import { bytesOfText } from '../domain/byte-text.ts';

/*
 * A path is bytes to the kernel, mostly UTF-8. What of it is none stands in a string as byte-text.ts says, and Node.js and
 * koffi, which encode strings as UTF-8, would name another file.
 */

const rawBytes = /[\udc80-\udcff]/;

/** A path as Node.js is to be given it. */
export function osPath(path: string): string | Buffer {
  return hasRawBytes(path) ? Buffer.from(bytesOfText(path)) : path;
}

/** A path as a C function is to be given it. */
export function cPath(path: string): string | Uint8Array {
  return hasRawBytes(path) ? bytesOfText(`${path}\0`) : path;
}

/** Whether a path cannot be told to what takes strings only, such as another program. */
export function hasRawBytes(path: string): boolean {
  return rawBytes.test(path) && bytesOfText(path).length < Buffer.byteLength(path);
}
