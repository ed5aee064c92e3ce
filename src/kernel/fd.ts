import { libc } from '../ffi/libc.ts';

/** A file descriptor that is closed when its owner goes (`using`). */
export class Fd implements Disposable {
  #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  /** The descriptor's number; -1 after it was closed or handed over. */
  get number(): number {
    return this.#number;
  }

  /** Gives the descriptor up to the caller, who closes it from now on. */
  release(): number {
    const number = this.#number;
    this.#number = -1;
    return number;
  }

  [Symbol.dispose](): void {
    if (this.#number >= 0) libc.close(this.#number);
    this.#number = -1;
  }
}
