import { copyFileSync, writeFileSync } from 'node:fs';

import { type FaultWorld, objectFile } from './fault-world.ts';
import type { ChangeIn } from './meet-faults.ts';

/** Makes the redirects that a change finds, and what it may name: a program, a map, an object of the user's. */
async function prepare({ done, load, words, files }: FaultWorld, before: readonly string[]): Promise<void> {
  await load('egress_devmap', 'egress');
  await done(...words('map create @m type devmap entries 4 name m'));
  copyFileSync(objectFile('redirect_devmap'), files.file('user.bpf.o'));
  for (const text of before) await done('redirect', ...words(text));
}

/** A change of redirects, and the commands that make those that it finds. */
export function redirect(text: string, before: readonly string[] = []): ChangeIn {
  return (world) => ({ words: world.words(`redirect ${text}`), prepare: () => prepare(world, before) });
}

/** The same change with --confirm, and with the answer that keeps it. */
export function confirmed(change: ChangeIn): ChangeIn {
  return (world) => {
    const { words, ...rest } = change(world);
    return { ...rest, words: [...words, '--confirm', '20s'], input: '\n', next: words };
  };
}

interface Applying {
  readonly before?: readonly string[];
  readonly options?: readonly string[];
}

/** `redirect apply` of a document, in which devices are called A, B and C. */
export function apply(redirects: readonly object[], { before = [], options = [] }: Applying = {}): ChangeIn {
  return (world) => ({
    words: world.words(['redirect apply %document.json', ...options].join(' ')),
    prepare: async () => {
      await prepare(world, before);
      const text = JSON.stringify({ xdpctl: 1, redirects });
      writeFileSync(
        world.files.file('document.json'),
        text.replace(/"([ABC])"/g, (_, letter: string) => JSON.stringify(world.words(letter)[0])),
      );
    },
  });
}
