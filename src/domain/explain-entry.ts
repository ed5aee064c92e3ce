import type { KernelRefusal } from './errors.ts';
import type { Explanation } from './explanation.ts';
import { aMapOf } from './map-type.ts';

const ENOENT = 2;
const EBADF = 9;
const EINVAL = 22;
const ENOTSOCK = 88;
const EOPNOTSUPP = 95;

/** What the value of an entry is a descriptor of, by map type. */
const values: Partial<Record<string, string>> = {
  prog_array: 'a BPF program',
  perf_event_array: 'a perf event',
  cgroup_array: 'a cgroup',
  array_of_maps: 'a map like those in it',
  hash_of_maps: 'a map like those in it',
  sockmap: 'a socket',
  sockhash: 'a socket',
  reuseport_sockarray: 'a socket in a reuseport group',
};

/** What the key is a descriptor of: the value hangs on that thing. */
const keys: Partial<Record<string, string>> = {
  sk_storage: 'a socket',
  inode_storage: 'a file',
  task_storage: 'a process (a pidfd)',
  cgrp_storage: 'a cgroup',
};

/**
 * Words for refused entries of the types that xdpctl knows only as bytes; undefined where the errno says nothing that
 * goes with the type.
 */
export function explainEntry({ operation, errno, facts }: KernelRefusal): Explanation | undefined {
  const type = String(facts['mapType'] ?? '');
  const descriptor = errno === EBADF || errno === ENOTSOCK || errno === EINVAL || errno === EOPNOTSUPP;
  const key = keys[type];
  if (key !== undefined && descriptor) return notOpen('key', type, key);
  if (operation !== 'map update') return undefined;
  const value = values[type];
  if (value !== undefined && descriptor) return notOpen('value', type, value);
  if (type === 'stack_trace' && errno === EINVAL) {
    return { kind: 'unsupported', message: 'only BPF programs write into a stack_trace' };
  }
  if (type.endsWith('cgroup_storage') && errno === ENOENT) {
    return {
      kind: 'not-found',
      message: `${type} ${String(facts['mapId'])} has no entry at this key`,
      hint: 'the kernel makes the entries, when a program that uses the map is attached to a cgroup',
    };
  }
  return undefined;
}

function notOpen(part: 'key' | 'value', type: string, what: string): Explanation {
  return {
    kind: 'usage',
    message: `the ${part} in ${aMapOf(type)} is the number of a descriptor that this process has open, of ${what}`,
    hint:
      type === 'inode_storage'
        ? 'the shell hands descriptors down, e.g. with 3<FILE; files have storage where the kernel runs the BPF LSM (lsm=…,bpf)'
        : 'the shell hands descriptors down, e.g. with 3<FILE',
  };
}
