import { readlinkSync } from 'node:fs';

/** Whether this process sees the mounts that PID 1 sees. Where that cannot be found out, it is taken for granted. */
export function inInitialMountNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/mnt') === readlinkSync('/proc/1/ns/mnt');
  } catch {
    return true;
  }
}
