import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { encodeInteger } from '../domain/integer.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { openBuiltin } from './builtin-objects.ts';
import { ENOENT } from './check.ts';
import { Fd } from './fd.ts';
import type { BpfMap } from './map.ts';
import type { BpfObject } from './object.ts';
import type { BpfProgram } from './program.ts';

/** Programs of bpf-objects/events.bpf.c, each of which counts one tracepoint. */
const PROGRAMS = 16;

/** How often tracepoints are hit, counted by programs of ours; they end with the process, however that ends. */
export class EventCounters implements Disposable {
  /** Those of the tracepoints asked for that this kernel has. */
  readonly events: readonly string[];
  readonly #held: Disposable[] = [];
  readonly #counts: BpfMap;

  /**
   * @param names of tracepoints, of which this kernel may lack some
   * @throws KernelRefusal `object open`, `object load`, `program attach`
   */
  constructor(names: readonly string[]) {
    try {
      const object = this.#hold(openBuiltin('events'));
      const wanted = names.slice(0, PROGRAMS);
      for (const program of object.programs.slice(wanted.length)) program.setAutoload(false);
      object.load();
      this.#counts = this.#hold(openCounts(object));
      this.events = wanted.filter((name, index) => {
        const program = object.programs[index]?.openProgram();
        return program !== undefined && this.#attach(this.#hold(program), name);
      });
      this.#order = this.events.map((name) => wanted.indexOf(name));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  readonly #order: readonly number[];

  /** Hits so far, in the order of `events`. @throws KernelRefusal `map lookup` */
  read(): number[] {
    const values = new Uint8Array(this.#counts.valueLength);
    const view = new DataView(values.buffer);
    return this.#order.map((index) => {
      this.#counts.lookup(encodeInteger(index, 4), values);
      let hits = 0;
      for (let at = 0; at < values.length; at += 8) hits += Number(view.getBigUint64(at, littleEndian));
      return hits;
    });
  }

  [Symbol.dispose](): void {
    for (const thing of this.#held.toReversed()) thing[Symbol.dispose]();
    this.#held.length = 0;
  }

  /** @returns false when this kernel has no such tracepoint */
  #attach(program: BpfProgram, name: string): boolean {
    const fd = libbpf.bpf_raw_tracepoint_open(name, program.fd);
    if (fd === -ENOENT) return false;
    if (fd < 0) throw new KernelRefusal('program attach', -fd, { event: name });
    this.#hold(new Fd(fd));
    return true;
  }

  #hold<Thing extends Disposable>(thing: Thing): Thing {
    this.#held.push(thing);
    return thing;
  }
}

function openCounts(object: BpfObject): BpfMap {
  const counts = object.map('counts')?.openMap();
  if (counts === undefined) throw new Error(`${object.path} has no counts`);
  return counts;
}
