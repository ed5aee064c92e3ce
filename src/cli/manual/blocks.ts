import { display, item, literal, paragraph, type Roff } from './roff.ts';

/** A piece of hand-written manual: a paragraph, a term with its description, or lines as they are typed. */
export type Block = string | readonly [term: string, text: string] | { readonly lines: readonly string[] };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export function blocksRoff(blocks: readonly Block[]): Roff {
  return blocks.flatMap((block) => {
    if (typeof block === 'string') return paragraph(block);
    if ('lines' in block) return display(block.lines);
    return item(`\\fB${literal(block[0])}\\fR`, block[1]);
  });
}
