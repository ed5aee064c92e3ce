import type { Graph, GraphNode } from './graph.ts';
import { printable } from './printable.ts';

const shapes: Readonly<Record<GraphNode['shape'], string>> = {
  device: 'box',
  program: 'ellipse',
  map: 'cylinder',
  nothing: 'plaintext',
};

/** The graph in the language of Graphviz (`dot -Tsvg`). */
export function dotText({ nodes, edges }: Graph): string {
  const lines = [
    'digraph redirect {',
    '  rankdir=LR;',
    ...nodes.map(({ id, shape, lines: label, bad }) => `  ${id} [${attributes(label, bad, shapes[shape])}];`),
    ...edges.map(({ from, to, lines: label, bad }) => `  ${from} -> ${to} [${attributes(label, bad)}];`),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function attributes(label: readonly string[], bad: boolean, shape?: string): string {
  const pairs = [
    ...(label.length === 0 ? [] : [`label="${label.map(quoted).join('\\n')}"`]),
    ...(shape === undefined ? [] : [`shape=${shape}`]),
    ...(bad ? ['color=red', 'fontcolor=red'] : []),
  ];
  return pairs.join(', ');
}

/** In a quoted string the quote and the backslash mean something else. */
function quoted(text: string): string {
  return printable(text).replaceAll(/[\\"]/g, (character) => `\\${character}`);
}
