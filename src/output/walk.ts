import { counted } from './counted.ts';
import type { Entries, Rows } from './outcome.ts';
import type { Sink } from './sink.ts';

/** Entries written between two looks at whether the buffer should be passed on. */
const STEP = 512;

type Chunk = Entries['chunks'] extends Iterable<infer Element> ? Element : never;

/**
 * Goes through rows and entries until the reader has gone. Now and then it passes on what was printed, or lets signals be
 * heard.
 */
export class Walk {
  /** How far it came, in words; undefined before anything was printed. */
  progress: string | undefined;
  readonly #out: Sink;
  readonly #breathe: () => Promise<void> | undefined;

  /** @param breathe gives signals their turn now and then; what it rejects with ends the walk */
  constructor(out: Sink, breathe: () => Promise<void> | undefined) {
    this.#out = out;
    this.#breathe = breathe;
  }

  /** Lets signals be heard where it is time for it. */
  breathe(): Promise<void> | undefined {
    return this.#breathe();
  }

  async rows(list: Rows<never>['rows'], visit: (row: never) => void): Promise<void> {
    let count = 0;
    const pause = (): Promise<void> | undefined => (this.#out.pressing ? this.#out.drain() : this.#breathe());
    try {
      if (Symbol.asyncIterator in list) {
        for await (const row of list) {
          visit(row);
          count += 1;
          await pause();
          if (this.#out.closed) return;
        }
        return;
      }
      // Apart, because `for await` would wait after each row.
      for (const row of list) {
        visit(row);
        count += 1;
        const pausing = pause();
        if (pausing !== undefined) await pausing;
        if (this.#out.closed) return;
      }
    } finally {
      this.#came(counted(count, 'row', 'rows'), count);
    }
  }

  async entries(outcome: Entries, write: (chunk: Chunk, from: number, to: number) => void): Promise<void> {
    let count = 0;
    try {
      for (const chunk of outcome.chunks) {
        for (let from = 0; from < chunk.count; from += STEP) {
          const to = Math.min(chunk.count, from + STEP);
          write(chunk, from, to);
          count += to - from;
          if (this.#out.pressing) {
            await this.#out.drain();
            if (this.#out.closed) return;
          }
        }
        const pause = this.#breathe();
        if (pause !== undefined) await pause;
      }
    } finally {
      this.#came(counted(count, 'entry', 'entries'), count);
    }
  }

  #came(what: string, count: number): void {
    this.progress = count === 0 ? undefined : `${what} ${count === 1 ? 'was' : 'were'} printed`;
  }
}
