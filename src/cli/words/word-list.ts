import { usageError } from '../../domain/errors.ts';

/** The words of a command, read from left to right. */
export class WordList {
  readonly #words: readonly string[];
  #position = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get done(): boolean {
    return this.#position >= this.#words.length;
  }

  /** How many words are left. */
  get left(): number {
    return this.#words.length - this.#position;
  }

  /** The next word, or the one `ahead` places after it, without taking it. */
  peek(ahead = 0): string | undefined {
    return this.#words[this.#position + ahead];
  }

  /** Takes the next word. @throws ToolError usage when there is none */
  take(what: string): string {
    const word = this.#words[this.#position];
    if (word === undefined) throw usageError(`${what} is missing`);
    this.#position += 1;
    return word;
  }

  /** Goes past a word that `peek` has seen. */
  skip(): void {
    this.#position += 1;
  }

  /** Takes the next word when it is this one. */
  accept(word: string): boolean {
    if (this.#words[this.#position] !== word) return false;
    this.#position += 1;
    return true;
  }

  /** Takes the keyword. @throws ToolError usage when the next word is another */
  expect(keyword: string): void {
    if (this.accept(keyword)) return;
    const word = this.peek();
    throw usageError(word === undefined ? `the word '${keyword}' is missing` : `expected '${keyword}', not '${word}'`);
  }

  /** @throws ToolError usage when words are left over */
  end(): void {
    if (!this.done) {
      throw usageError(`unexpected word '${this.peek()}': the command is complete before it`);
    }
  }
}
