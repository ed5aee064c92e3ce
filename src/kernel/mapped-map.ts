import { KernelRefusal } from '../domain/errors.ts';
import type { Pointer } from '../ffi/libbpf.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { mapFailed, viewMemory } from '../ffi/memory.ts';
import type { BpfMap } from './map.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const PAGE = 4096;

/** The values of an array map made with BPF_F_MMAPABLE, in our memory and the programs' alike. */
export class MappedMap implements Disposable {
  /** All values one after the other, each of a size that 8 divides. */
  readonly words: Uint32Array;
  readonly #length: number;
  #memory: Pointer;

  /** @throws KernelRefusal `map mmap` */
  constructor(map: BpfMap, writable: boolean) {
    const bytes = map.info.maxEntries * map.info.valueSize;
    this.#length = Math.ceil(bytes / PAGE) * PAGE;
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const memory = libc.mmap(null, this.#length, protection, MAP_SHARED, map.fd, 0);
    if (mapFailed(memory)) throw new KernelRefusal('map mmap', lastErrno(), map.facts());
    this.#memory = memory;
    const view = viewMemory(memory, bytes);
    this.words = new Uint32Array(view.buffer, view.byteOffset, bytes / 4);
  }

  /** Nobody may touch `words` from now on: that would end the process. */
  [Symbol.dispose](): void {
    if (this.#memory !== null) libc.munmap(this.#memory, this.#length);
    this.#memory = null;
  }
}
