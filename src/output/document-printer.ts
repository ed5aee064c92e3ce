import type { Document } from './outcome.ts';
import type { Sink } from './sink.ts';
import type { Walk } from './walk.ts';

/** Prints a document piece by piece; one that is stopped early is ended in order. */
export async function printDocument(outcome: Document, out: Sink, walk: Walk, dense: boolean): Promise<void> {
  const pieces = outcome.pieces(dense);
  try {
    for (let piece = pieces.next(); !piece.done; piece = pieces.next()) {
      out.text(piece.value);
      if (out.pressing) await out.drain();
      if (out.closed) return;
      const pause = walk.breathe();
      if (pause !== undefined) await pause;
    }
  } catch (error) {
    // Interrupted: what the document yields now ends it.
    const last = pieces.return(undefined);
    if (!last.done) out.text(last.value);
    throw error;
  }
}
