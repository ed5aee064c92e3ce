import { closeSync, constants, lstatSync, openSync, readlinkSync, statSync, unlinkSync } from 'node:fs';
import { posix } from 'node:path';

import { KernelRefusal, type RefusalFacts, ToolError, usageError } from '../domain/errors.ts';
import { shellCommand } from '../domain/shell-quote.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { exists } from './access.ts';
import { BPFFS_STANDARD } from './bpffs-path.ts';
import { isOnBpffs } from './bpffs.ts';
import { check, ENOENT } from './check.ts';
import { Fd } from './fd.ts';
import { cPath, osPath } from './os-path.ts';

/** What a BPF object's descriptor stands for (bpf_map_fops etc. name their anonymous inodes so). */
export type BpfObjectKind = 'map' | 'prog' | 'link';

/** A BPF object opened by its pin. The caller owns the descriptor. */
export interface PinnedObject {
  readonly kind: BpfObjectKind;
  readonly fd: Fd;
}

/**
 * Opens what is pinned at a path.
 *
 * @throws KernelRefusal `pin get`: ENOENT, EACCES (a directory), EINVAL (an ordinary file), EPERM
 */
export function openPin(path: string): PinnedObject {
  const result = libbpf.bpf_obj_get(cPath(path));
  if (result < 0) check(result, 'pin get', whereabouts(path));
  const fd = new Fd(result);
  try {
    return { kind: objectKind(fd.number), fd };
  } catch (error) {
    fd[Symbol.dispose]();
    throw error;
  }
}

/** @throws KernelRefusal `pin` */
export function pinObject(fd: number, path: string): void {
  check(libbpf.bpf_obj_pin(fd, cPath(path)), 'pin', { path });
}

/** Takes a pin away; what it stood for lives on while anybody else holds it. @throws KernelRefusal `unpin` */
export function removePin(path: string): void {
  try {
    unlinkSync(osPath(path));
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    throw new KernelRefusal('unpin', -errno, { path });
  }
}

/**
 * Takes the pin of a certain object away. Looks and acts in the directory that it has opened, and so removes nothing
 * else, whoever exchanges directories or pins meanwhile.
 *
 * @param isMeant tells the object by its open pin
 * @throws ToolError usage for what is no pin, conflict when another object is pinned there by now; KernelRefusal `unpin`,
 *   `pin get`
 */
export function removePinOf(path: string, isMeant: (pinned: PinnedObject) => boolean): void {
  const directory = openDirectory(path);
  try {
    const place = `/proc/self/fd/${directory}`;
    if (!isOnBpffs(place)) throw usageError(`${path} is not in a bpffs: it is no pin`);
    const pin = `${place}/${posix.basename(path)}`;
    const status = lstatSync(osPath(pin), { throwIfNoEntry: false });
    if (status === undefined) throw new KernelRefusal('unpin', ENOENT, { path });
    if (status.isSymbolicLink()) {
      throw usageError(
        `${path} is a symbolic link, not a pin`,
        `name the pin itself, or take the link away: ${shellCommand(['rm', path])}`,
      );
    }
    const pinned = openPin(pin);
    using _open = pinned.fd;
    if (!isMeant(pinned)) throw new ToolError('conflict', `somebody has pinned something else at ${path} meanwhile`);
    removePin(pin);
  } catch (error) {
    throw error instanceof KernelRefusal
      ? new KernelRefusal(error.operation, error.errno, { ...error.facts, path })
      : error;
  } finally {
    closeSync(directory);
  }
}

/** O_PATH (asm-generic/fcntl.h): a way to the directory, for which the right to read it is not needed. */
const O_PATH = 0x20_0000;

/** The directory that a path is in, as it is now. @throws KernelRefusal `unpin` */
function openDirectory(path: string): number {
  try {
    return openSync(osPath(posix.dirname(path)), O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    throw new KernelRefusal('unpin', -errno, { path });
  }
}

function objectKind(fd: number): BpfObjectKind {
  const target = readlinkSync(`/proc/self/fd/${fd}`);
  if (target.includes('bpf-map')) return 'map';
  if (target.includes('bpf-prog')) return 'prog';
  return 'link';
}

/** What explains that a pin cannot be opened. */
function whereabouts(path: string): RefusalFacts {
  return {
    path,
    directory: surely(() => isDirectory(path)),
    outside: surely(() => exists(path) && !isOnBpffs(path)),
    mounted: !path.startsWith(`${BPFFS_STANDARD}/`) || surely(() => isOnBpffs(BPFFS_STANDARD)),
  };
}

/** For an explanation: that this fails too must not take the place of what is explained. */
function surely(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  return statSync(osPath(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
