import { KernelRefusal } from '../../domain/errors.ts';
import type { Pointer } from '../../ffi/libbpf.ts';
import { lastErrno, libc } from '../../ffi/libc.ts';
import { mapFailed, pointerAddress, viewMemory } from '../../ffi/memory.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MAP_POPULATE = 0x8000;

/**
 * The memory that frames lie in: `frames` chunks of `frameSize` bytes. Mapped, because the kernel writes to it while
 * JavaScript runs, and V8 may move a buffer of its own.
 */
export class Umem implements Disposable {
  readonly frames: number;
  /** 2048 or 4096. */
  readonly frameSize: number;
  /** An address in a descriptor and this is the address of its chunk. */
  readonly chunkMask: number;
  readonly bytes: Uint8Array;
  readonly address: bigint;
  #memory: Pointer;

  /** @throws KernelRefusal `xsk memory` */
  constructor(frames: number, frameSize: number) {
    this.frames = frames;
    this.frameSize = frameSize;
    this.chunkMask = ~(frameSize - 1);
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    const memory = libc.mmap(null, frames * frameSize, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mapFailed(memory)) throw new KernelRefusal('xsk memory', lastErrno(), { frames, frameSize });
    this.#memory = memory;
    this.address = pointerAddress(memory);
    this.bytes = viewMemory(memory, frames * frameSize);
  }

  /** Nobody may touch `bytes` from now on: that would end the process. */
  [Symbol.dispose](): void {
    if (this.#memory !== null) libc.munmap(this.#memory, this.frames * this.frameSize);
    this.#memory = null;
  }
}
