import { spawnSync } from 'node:child_process';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dotText } from '../../src/output/dot.ts';
import type { Graph } from '../../src/output/graph.ts';
import { mermaidText } from '../../src/output/mermaid.ts';
import { printable } from '../../src/output/printable.ts';

/** Names as interfaces and programs may have them, and worse. */
const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 15 }).filter((name) => !name.includes('\n'));

function graphOf(lines: readonly string[]): Graph {
  return {
    nodes: [
      { id: 'a', shape: 'device', lines, bad: false },
      { id: 'b', shape: 'nothing', lines: ['end'], bad: true },
    ],
    edges: [
      { from: 'a', to: 'b', lines, bad: true },
      { from: 'b', to: 'a', lines: [], bad: false },
    ],
  };
}

/** The strings of a drawing between quotes, as a reader of the language sees them. */
function dotStrings(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, quoted = '']) =>
    quoted.replaceAll(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character)),
  );
}

function mermaidStrings(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"/g)].map(([, quoted = '']) =>
    quoted.replaceAll('<br>', '\n').replaceAll(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code))),
  );
}

describe('the drawings', () => {
  it('are what Graphviz and Mermaid expect', () => {
    const graph = graphOf(['eth0', 'native']);
    expect(dotText(graph)).toBe(`digraph redirect {
  rankdir=LR;
  a [label="eth0\\nnative", shape=box];
  b [label="end", shape=plaintext, color=red, fontcolor=red];
  a -> b [label="eth0\\nnative", color=red, fontcolor=red];
  b -> a [];
}
`);
    expect(mermaidText(graph)).toBe(`flowchart LR
  a["eth0<br>native"]
  b>"end"]
  a -->|"eth0<br>native"| b
  b --> a
  classDef bad stroke:#c00,color:#c00
  class b bad
  linkStyle 0 stroke:#c00,color:#c00
`);
  });

  it('carry any name unharmed', () => {
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 3 }), (lines) => {
        const shown = lines.map(printable).join('\n');
        const graph = graphOf(lines);
        expect(dotStrings(dotText(graph))).toEqual([shown, 'end', shown]);
        expect(mermaidStrings(mermaidText(graph))).toEqual([shown, 'end', shown]);
      }),
    );
  });

  it('keep names from becoming commands or markup', () => {
    const text = mermaidText(graphOf(['"]; click a href "javascript:x" <script>', '`x`']));
    expect(text).not.toMatch(/<script|"\]; click|`/);
  });

  it('are understood by Graphviz where it is installed', () => {
    const nasty = ['a"b', 'c\\d', '<e>&', '$(id)', 'ü', '\u001b[2J'];
    const { error, status, stdout, stderr } = spawnSync('dot', ['-Tsvg'], {
      input: dotText(graphOf(nasty)),
      encoding: 'utf8',
    });
    const shown = ['a&quot;b', 'c\\d', '&lt;e&gt;&amp;', '$(id)', 'ü', '\\x1b[2J'];
    const well = { status: 0, stderr: '', missing: [] };
    // Nobody needs Graphviz for the rest.
    const notInstalled = error !== undefined && 'code' in error && error.code === 'ENOENT';
    const missing = notInstalled ? [] : shown.filter((name) => !stdout.includes(`>${name}<`));
    expect(notInstalled ? well : { status, stderr, missing }).toEqual(well);
  });
});
