import { readlinkSync, statSync, unlinkSync } from 'node:fs';

import { KernelRefusal, type RefusalFacts } from '../domain/errors.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { exists } from './access.ts';
import { BPFFS_STANDARD } from './bpffs-path.ts';
import { isOnBpffs } from './bpffs.ts';
import { check } from './check.ts';
import { Fd } from './fd.ts';

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
  const result = libbpf.bpf_obj_get(path);
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
  check(libbpf.bpf_obj_pin(fd, path), 'pin', { path });
}

/** Takes a pin away; what it stood for lives on while anybody else holds it. @throws KernelRefusal `unpin` */
export function removePin(path: string): void {
  try {
    unlinkSync(path);
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
    directory: isDirectory(path),
    outside: exists(path) && !isOnBpffs(path),
    mounted: !path.startsWith(`${BPFFS_STANDARD}/`) || isOnBpffs(BPFFS_STANDARD),
  };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
