import { posix } from 'node:path';

import { usageError } from '../../domain/errors.ts';
import { BPFFS_STANDARD, bpffsMounts } from '../../kernel/bpffs-path.ts';

/**
 * The absolute path of a PIN: a name without a slash lies directly under the bpffs mount, whatever the working
 * directory is.
 *
 * @throws ToolError usage for an empty word, a relative path with slashes, or a name with a zero byte
 */
export function pinPath(word: string): string {
  if (isPlainPath(word)) return word;
  if (word === '') throw usageError('the pin is an empty word');
  if (word.includes('\0')) throw usageError('a path cannot contain a zero byte');
  if (word.startsWith('/')) return word.replace(/\/+$/, '') || '/';
  if (word.includes('/')) {
    const whole = posix.join(BPFFS_STANDARD, word);
    const example = whole.startsWith(`${BPFFS_STANDARD}/`) ? ` (${whole})` : '';
    throw usageError(
      `pin path '${word}' is relative`,
      `give the whole path${example}, or a name directly under the bpffs mount`,
    );
  }
  if (word === '.' || word === '..') throw usageError(`'${word}' is no pin`);
  return `${bpffsMounts()[0] ?? BPFFS_STANDARD}/${word}`;
}

/** Whether it is an absolute path that can be taken as it is. */
function isPlainPath(word: string): boolean {
  return word.startsWith('/') && !word.endsWith('/') && !word.includes('\0');
}
