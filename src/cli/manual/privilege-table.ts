import type { Block } from './blocks.ts';
import { type Privilege, privileges } from './privileges.ts';

const head = ['', 'ROOT', 'ANOTHER USER ALSO'] as const;

/** What each command was measured to need, for the manual. */
export function privilegeBlocks(): Block[] {
  const rows = [head, ...privileges.map(cells)];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return [
    'This was measured: each command was run as root with the capabilities of the second column and no others, in parentheses those without which it does less and says so; and as another user, who owns no pin and no file of it, with those of the third column besides. Without any one of them it is refused, and names it. CAP_ is left out.',
    {
      lines: rows.map(([words, root, other]) =>
        `${words.padEnd(widths[0] ?? 0)}  ${root.padEnd(widths[1] ?? 0)}  ${other}`.trimEnd(),
      ),
    },
  ];
}

function cells({ words, root, other, more = [] }: Privilege): readonly [string, string, string] {
  const rest = more.length === 0 ? '' : ` (${names(more)})`;
  const besides = other?.filter((name) => !root.includes(name));
  return [
    words,
    `${root.length === 0 ? '-' : names(root)}${rest}`,
    besides === undefined ? 'root only' : besides.length === 0 ? '-' : names(besides),
  ];
}

function names(capabilities: readonly string[]): string {
  return capabilities.map((name) => name.toUpperCase()).join(', ');
}
