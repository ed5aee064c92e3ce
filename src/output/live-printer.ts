import type { Painter } from './color.ts';
import type { StreamItem } from './outcome.ts';
import { Screen } from './screen.ts';
import type { Sink } from './sink.ts';

/** Prints a stream on a terminal: items with a picture one in the place of the other, the others below each other. */
export async function printLive(items: AsyncIterable<StreamItem>, out: Sink, paint: Painter): Promise<void> {
  let screen: Screen | undefined;
  try {
    for await (const item of items) {
      if (item.picture === undefined) {
        screen?.[Symbol.dispose]();
        screen = undefined;
        out.text(typeof item.text === 'string' ? item.text : item.text(paint));
        await out.end();
      } else {
        screen ??= new Screen(out);
        await screen.show(item.picture(screen.size, paint));
      }
      if (out.closed) return;
    }
  } finally {
    screen?.[Symbol.dispose]();
    await out.end();
  }
}
