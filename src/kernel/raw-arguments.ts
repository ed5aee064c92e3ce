import { readFileSync } from 'node:fs';

import { textOfBytes } from '../domain/byte-text.ts';

/**
 * The words of the command line as the kernel keeps them. Node.js decodes them as UTF-8, and what is none is lost: an
 * interface may have such a name.
 *
 * @param argv the same words as Node.js gives them
 */
export function rawArguments(argv: readonly string[]): readonly string[] {
  const words = textOfBytes(readFileSync('/proc/self/cmdline')).split('\0').slice(0, -1);
  return words.slice(words.length - argv.length);
}
