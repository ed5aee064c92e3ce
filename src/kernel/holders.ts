import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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
  const holders = new Map<number, Holder[]>();
  for (const pid of processIds()) {
    for (const id of heldMaps(pid)) {
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

function heldMaps(pid: number): ReadonlySet<number> {
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
      if (!readlinkSync(`/proc/${pid}/fd/${fd}`).includes('bpf-map')) continue;
      const id = /^map_id:\s*([0-9]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
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
