import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import type { BpfObjectKind } from './pin.ts';

/** A process that holds a BPF object open. */
export interface Holder {
  readonly pid: number;
  readonly comm: string;
}

/**
 * The processes that hold maps open, by map id, from /proc/PID/fdinfo. This process does not count.
 * A full scan looks at every descriptor of every process: seconds on a dense host, so it is done only when asked for.
 */
export function mapHolders(): ReadonlyMap<number, readonly Holder[]> {
  return holdersOf('map');
}

/** The same for objects of any kind, by their ids. */
export function holdersOf(kind: BpfObjectKind): ReadonlyMap<number, readonly Holder[]> {
  const holders = new Map<number, Holder[]>();
  for (const pid of processIds()) {
    for (const id of heldObjects(pid, kind)) {
      holders.set(id, [...(holders.get(id) ?? []), { pid, comm: commOf(pid) }]);
    }
  }
  return holders;
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .toSorted((a, b) => a - b);
}

/** How the kernel names the anonymous inodes, and the line of fdinfo that tells the id (kernel/bpf/syscall.c). */
const marks: Readonly<Record<BpfObjectKind, { readonly target: RegExp; readonly id: RegExp }>> = {
  map: { target: /bpf-map/, id: /^map_id:\s*([0-9]+)$/m },
  prog: { target: /bpf-prog/, id: /^prog_id:\s*([0-9]+)$/m },
  link: { target: /bpf[-_]link/, id: /^link_id:\s*([0-9]+)$/m },
};

function heldObjects(pid: number, kind: BpfObjectKind): ReadonlySet<number> {
  const mark = marks[kind];
  const ids = new Set<number>();
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    // Gone meanwhile, or another user's.
    return ids;
  }
  for (const fd of descriptors) {
    try {
      if (!mark.target.test(readlinkSync(`/proc/${pid}/fd/${fd}`))) continue;
      const id = mark.id.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
      if (id !== undefined) ids.add(Number(id));
    } catch {
      // Closed meanwhile.
    }
  }
  return ids;
}

function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return '';
  }
}
