import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { type BpfKind, bpfKinds, bpfObjects } from '../../support/bpf-objects.ts';
import { heldBy, heldByOthers, type ObjectWord } from '../../support/held-by-others.ts';

/** What a process holds. */
export function processUsage(pid: number): Readonly<Record<string, number>> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (field: string): number => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: Number(/^Threads:\s*(\d+)$/m.exec(status)?.[1] ?? 0),
    mappings: readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').length - 1,
    memory_kib: kib('VmRSS') + kib('VmSwap'),
  };
}

/** How often is looked whether an object goes away, and how long is waited before. */
const LOOKS = 6;
const BETWEEN_MS = 250;

/** The BPF objects that have come into the kernel since a moment and that nobody else keeps. */
export class KernelUsage {
  readonly #before = new Set(listed());

  /**
   * How many have stayed for a while: the kernel frees late, and what others make and drop is gone by then.
   *
   * @param pid a process that may have some: its descriptors are counted elsewhere
   */
  async count(pid?: number): Promise<Readonly<Record<string, number>>> {
    let stayed = this.#new(pid);
    for (let look = 1; look < LOOKS && stayed.length > 0; look += 1) {
      await sleep(BETWEEN_MS);
      const now = new Set(this.#new(pid));
      stayed = stayed.filter((word) => now.has(word));
    }
    const of = (kind: BpfKind): number => stayed.filter((word) => word.startsWith(`${kind} `)).length;
    return { maps: of('map'), programs: of('prog'), links: of('link') };
  }

  #new(pid: number | undefined): ObjectWord[] {
    const known = new Set([...this.#before, ...(pid === undefined ? [] : heldBy(pid))]);
    const since = listed().filter((word) => !known.has(word));
    if (since.length === 0) return [];
    const others = heldByOthers();
    return since.filter((word) => !others.has(word));
  }
}

function listed(): ObjectWord[] {
  return bpfKinds.flatMap((kind) => bpfObjects(kind).map(({ id }): ObjectWord => `${kind} ${id}`));
}
