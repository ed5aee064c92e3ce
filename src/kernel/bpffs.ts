import { statSync } from 'node:fs';
import { dirname } from 'node:path';

import { KernelRefusal, ToolError } from '../domain/errors.ts';
import { shellCommand } from '../domain/shell-quote.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { exists, isTaken } from './access.ts';
import { BPFFS_STANDARD } from './bpffs-path.ts';
import { underLock } from './file-lock.ts';
import { inInitialMountNamespace, MOUNT_NAMESPACE_HINT } from './mount-namespace.ts';
import { cPath, osPath } from './os-path.ts';

/** f_type of a bpffs (linux/magic.h). */
const BPF_FS_MAGIC = 0xcafe_4a11;
/** sizeof(struct statfs) is 120 on 64-bit machines; f_type comes first. */
const STATFS_SIZE = 256;
/** What statfs() says of a path at which nothing is, or can be: ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP. */
const NOTHING_THERE = new Set([2, 20, 36, 40]);

/** Whether a path lies in a bpffs; not where there is nothing. @throws KernelRefusal `statfs` when that cannot be told */
export function isOnBpffs(path: string): boolean {
  const buffer = new Uint8Array(STATFS_SIZE);
  if (libc.statfs(cPath(path), buffer) !== 0) {
    const errno = lastErrno();
    if (NOTHING_THERE.has(errno)) return false;
    throw new KernelRefusal('statfs', errno, { path });
  }
  return new Uint32Array(buffer.buffer, 0, 1)[0] === BPF_FS_MAGIC;
}

export interface PinOptions {
  readonly nomount: boolean;
  readonly dryRun: boolean;
  /** Whether something is there; looked up when absent. */
  readonly taken?: boolean;
}

/**
 * Makes sure that something can be pinned at `path`: nothing is there yet, and its directory is in a bpffs. Mounts bpffs
 * on its standard place when it is not mounted there, but never anywhere else.
 *
 * @throws ToolError conflict, not-found, usage; refused in a mount namespace of its own, where the pin would vanish with
 *   the command (`ip netns exec` makes one); KernelRefusal `mount bpffs`
 */
export function preparePin(path: string, options: PinOptions): void {
  checkPinName(path);
  const directory = dirname(path);
  if (!ensureBpffs(directory, options)) return;
  if (options.taken ?? isTaken(path)) {
    throw new ToolError('conflict', `${path} exists already`, {
      errno: 17,
      operation: 'pin',
    });
  }
  if (!exists(directory)) {
    throw new ToolError('not-found', `the directory ${directory} does not exist`, {
      hint: `make it: ${shellCommand(['mkdir', directory])}`,
    });
  }
  if (!statSync(osPath(directory)).isDirectory()) throw new ToolError('usage', `${directory} is not a directory`);
  if (!isOnBpffs(directory)) {
    throw new ToolError('usage', `${directory} is not in a bpffs: pins can only be made there`, {
      hint: `use a path below ${BPFFS_STANDARD}`,
    });
  }
}

/**
 * Mounts bpffs on its standard place when `directory` belongs there and it is not mounted.
 *
 * @returns whether it is mounted now, which a dry run does not see to
 * @throws as preparePin
 */
export function ensureBpffs(
  directory: string,
  options: { readonly nomount: boolean; readonly dryRun: boolean },
): boolean {
  if (isOnBpffs(directory) || !isStandard(directory) || isOnBpffs(BPFFS_STANDARD)) return true;
  mountBpffs(options);
  return !options.dryRun;
}

/**
 * For who reads what is pinned: makes sure that pins which are not found are not there. Where bpffs is not mounted in the
 * mount namespace of PID 1, as after a boot, nothing is pinned; in one of its own it may be hidden.
 *
 * @throws ToolError refused in a mount namespace of its own where bpffs is not mounted (`ip netns exec` makes one)
 */
export function checkPinsInSight(): void {
  if (isOnBpffs(BPFFS_STANDARD) || inInitialMountNamespace()) return;
  throw outOfSight('so what redirect attach has pinned cannot be seen');
}

function outOfSight(consequence: string): ToolError {
  return new ToolError('refused', `bpffs is not mounted in this mount namespace, ${consequence}`, {
    hint: MOUNT_NAMESPACE_HINT,
  });
}

function isStandard(directory: string): boolean {
  return directory === BPFFS_STANDARD || directory.startsWith(`${BPFFS_STANDARD}/`);
}

/** The kernel refuses dots in the names below bpffs (bpf_lookup, kernel/bpf/inode.c). */
function checkPinName(path: string): void {
  const dotted = path.split('/').find((name) => name.includes('.'));
  if (dotted !== undefined && isStandard(path)) {
    throw new ToolError('usage', `the kernel allows no '.' in a name below bpffs: '${dotted}'`, {
      hint: `write ${dotted.replaceAll('.', '_')}`,
    });
  }
}

function mountBpffs({ nomount, dryRun }: { readonly nomount: boolean; readonly dryRun: boolean }): void {
  if (!inInitialMountNamespace()) {
    throw outOfSight('and a pin made in one mounted here would vanish with it');
  }
  if (nomount) {
    throw new ToolError('refused', `bpffs is not mounted on ${BPFFS_STANDARD}, and --nomount was given`, {
      hint: `mount it: mount -t bpf bpf ${BPFFS_STANDARD}`,
    });
  }
  if (dryRun) return;
  // A second mount on top of another's would hide what that one has pinned meanwhile.
  underLock(BPFFS_STANDARD, () => {
    if (isOnBpffs(BPFFS_STANDARD)) return;
    if (libc.mount('bpf', BPFFS_STANDARD, 'bpf', 0, 'mode=0700') !== 0) {
      throw new KernelRefusal('mount bpffs', lastErrno(), { path: BPFFS_STANDARD });
    }
  });
}
