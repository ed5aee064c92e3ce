import type { Sink } from './sink.ts';

/** Size of a terminal in characters. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Where the terminal does not tell. */
const defaultSize: ScreenSize = { columns: 80, rows: 24 };

/** The screen that full-screen programs draw on, which leaves what was on the terminal alone; no cursor. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/**
 * A picture on a terminal that changes. The stream knows how to leave the screen, so that also a process that dies puts
 * the terminal back.
 */
export class Screen implements Disposable {
  readonly #out: Sink;
  #open = true;

  constructor(out: Sink) {
    this.#out = out;
    out.stream.takeOver?.({ enter: ENTER, leave: LEAVE });
    out.text(ENTER);
  }

  get size(): ScreenSize {
    return this.#out.stream.size ?? defaultSize;
  }

  /** Shows lines in the place of what is there; those that do not fit are left out. */
  async show(lines: readonly string[]): Promise<void> {
    const shown = lines.slice(0, this.size.rows).map((line) => `${line}${CLEAR_LINE}`);
    // No newline after the last line, which would scroll.
    this.#out.text(`${HOME}${shown.join('\r\n')}${CLEAR_BELOW}`);
    await this.#out.end();
  }

  /** Gives the terminal back as it was. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#out.text(LEAVE);
    this.#out.stream.takeOver?.(undefined);
  }
}
