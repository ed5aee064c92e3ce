import type { Graph, GraphNode } from './graph.ts';
import { printable } from './printable.ts';

const brackets: Readonly<Record<GraphNode['shape'], readonly [string, string]>> = {
  device: ['[', ']'],
  program: ['([', '])'],
  map: ['[(', ')]'],
  nothing: ['>', ']'],
};

/** The graph in the language of Mermaid, which many pages draw (GitHub, GitLab). */
export function mermaidText({ nodes, edges }: Graph): string {
  const bad = nodes.filter((node) => node.bad).map(({ id }) => id);
  const badEdges = edges.flatMap((edge, index) => (edge.bad ? [index] : []));
  const lines = [
    'flowchart LR',
    ...nodes.map(
      ({ id, shape, lines: label }) => `  ${id}${brackets[shape].join(`"${label.map(escaped).join('<br>')}"`)}`,
    ),
    ...edges.map(({ from, to, lines: label }) => `  ${from} -->${edgeLabel(label)} ${to}`),
    ...(bad.length === 0 ? [] : ['  classDef bad stroke:#c00,color:#c00', `  class ${bad.join(',')} bad`]),
    ...(badEdges.length === 0 ? [] : [`  linkStyle ${badEdges.join(',')} stroke:#c00,color:#c00`]),
  ];
  return `${lines.join('\n')}\n`;
}

function edgeLabel(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `|"${lines.map(escaped).join('<br>')}"|`;
}

/** Whatever means something in a label, by its number. */
function escaped(text: string): string {
  return printable(text).replaceAll(/[^A-Za-z0-9 .,:/()_-]/g, (character) => `#${character.codePointAt(0)};`);
}
