import { constants, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isatty } from 'node:tty';

import { textOfBytes } from '../../domain/byte-text.ts';
import { KernelRefusal, usageError } from '../../domain/errors.ts';
import { accessError } from '../../kernel/access.ts';
import { osPath } from '../../kernel/os-path.ts';
import type { GlobalOptions } from '../global-options.ts';
import type { BindRequest } from './bind-request.ts';

const { W_OK, X_OK } = constants;
const EEXIST = 17;
const EISDIR = 21;
const ELOOP = 40;

/**
 * Checks whether frames can be written where they are to go, before anything is changed.
 *
 * @throws ToolError usage; KernelRefusal `capture open`, as opening it would
 */
export function checkOutput({ write }: BindRequest, { json, dryRun }: GlobalOptions): void {
  if (write === undefined) return;
  if (write.path !== '-') checkFile(write.path, write.overwrite);
  else if (json) throw usageError('--write - and -j both want standard output', 'write the frames to a file');
  else if (!dryRun && isatty(1)) {
    throw usageError('frames cannot be written to a terminal', 'pipe them into tcpdump -r -, or a file');
  }
}

function checkFile(path: string, overwrite: boolean): void {
  const there = asOpen(path, () => statSync(osPath(path), { throwIfNoEntry: false }));
  const itself = asOpen(path, () => lstatSync(osPath(path), { throwIfNoEntry: false }));
  // A link to a pipe or a terminal, as /dev/stdout is one, leads to nothing that could be overwritten.
  if (itself?.isSymbolicLink() === true && there?.isFile() !== false) {
    throw new KernelRefusal('capture open', ELOOP, { path, target: textOfBytes(readlinkSync(osPath(path), 'buffer')) });
  }
  if (there === undefined) return checkAccess(path, dirname(path), W_OK | X_OK);
  if (there.isDirectory()) throw new KernelRefusal('capture open', EISDIR, { path });
  if (there.isFile() && !overwrite) throw new KernelRefusal('capture open', EEXIST, { path });
  checkAccess(path, path, W_OK);
}

function checkAccess(path: string, place: string, mode: number): void {
  const errno = accessError(place, mode);
  if (errno !== 0) throw new KernelRefusal('capture open', errno, { path });
}

/** A failure becomes that of opening the file. */
function asOpen<Result>(path: string, look: () => Result): Result {
  try {
    return look();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    throw new KernelRefusal('capture open', Math.abs(errno), { path });
  }
}
