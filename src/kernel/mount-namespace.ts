import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Whether this process sees the mounts that PID 1 sees, so that a mount made here stays. Where PID 1 may not be looked at
 * (a sandbox), its ancestors stand for it: `ip netns exec` and `unshare --mount` leave the shell that ran them outside.
 * Where nothing can be found out, it is taken for granted.
 */
export function inInitialMountNamespace(): boolean {
  const own = namespaceOf('self');
  if (own === undefined) return true;
  const initial = namespaceOf('1');
  if (initial !== undefined) return initial === own;
  for (let pid = parentOf('self'); pid !== undefined; pid = parentOf(pid)) {
    const theirs = namespaceOf(pid);
    if (theirs !== undefined && theirs !== own) return false;
  }
  return true;
}

/** What to do where something is not mounted in a mount namespace of its own, and a mount made there would vanish. */
export const MOUNT_NAMESPACE_HINT = "'ip netns exec' makes such a namespace: use xdpctl --netns NAME instead";

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

/** The parent of a process; undefined for PID 1. */
function parentOf(pid: string): string | undefined {
  try {
    const parent = /^PPid:\s*([0-9]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return parent === '0' ? undefined : parent;
  } catch {
    return undefined;
  }
}
