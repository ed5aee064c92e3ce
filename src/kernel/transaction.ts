/**
 * Steps that are all done or all undone: each step says how it is taken back, and leaving the block without `commit`
 * takes back what was done, last step first.
 *
 * A step that cannot be taken back does not keep the others from being; the first such failure is thrown at the end.
 */
export class Transaction implements Disposable {
  readonly #undo: (() => void)[] = [];

  /** Notes how to take back the step that was just done. */
  onRollback(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Keeps everything that was done. */
  commit(): void {
    this.#undo.length = 0;
  }

  [Symbol.dispose](): void {
    let failure: Error | undefined;
    for (const undo of this.#undo.splice(0).toReversed()) {
      try {
        undo();
      } catch (error) {
        failure ??= error instanceof Error ? error : new Error(String(error));
      }
    }
    if (failure !== undefined) throw failure;
  }
}
