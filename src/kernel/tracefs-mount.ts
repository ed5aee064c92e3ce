import { KernelRefusal } from '../domain/errors.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { inInitialMountNamespace } from './mount-namespace.ts';

/**
 * Mounts a kernel filesystem on its standard place, as root in the mount namespace of PID 1; elsewhere it does nothing,
 * and the caller reports that it is not mounted.
 *
 * @throws KernelRefusal `mount tracefs`
 */
export function mountKernelFilesystem(type: string, target: string): void {
  if (process.getuid?.() !== 0 || !inInitialMountNamespace()) return;
  if (libc.mount(type, target, type, 0, 'mode=0700') !== 0) {
    throw new KernelRefusal(`mount ${type}`, lastErrno(), { path: target });
  }
}
