import { nameOf } from '../../domain/ledger/scene.ts';
import type { LiveDevice } from '../../domain/live-system.ts';
import type { ObservedMap } from '../../domain/observed-path.ts';
import type { Graph, GraphEdge, GraphNode } from '../../output/graph.ts';
import type { Examination, ExaminedPath } from './examine.ts';
import { arrowsOf, mapText, ownCodes, programText } from './show-text.ts';

/** The paths as one drawing: devices, programs and maps are there once, however many paths go through them. */
export function pathGraph(examination: Examination): Graph {
  const drawing = new Drawing();
  for (const each of examination.examined) draw(each, examination, drawing);
  return drawing.graph();
}

class Drawing {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #edges = new Map<string, GraphEdge>();

  /** Two that are the same are drawn once, in red when one of them is. */
  node(node: GraphNode): string {
    const known = this.#nodes.get(node.id);
    this.#nodes.set(node.id, known === undefined ? node : { ...known, bad: known.bad || node.bad });
    return node.id;
  }

  edge(edge: GraphEdge): void {
    const key = JSON.stringify([edge.from, edge.to, edge.lines]);
    const known = this.#edges.get(key);
    this.#edges.set(key, known === undefined ? edge : { ...known, bad: known.bad || edge.bad });
  }

  graph(): Graph {
    return { nodes: [...this.#nodes.values()], edges: [...this.#edges.values()] };
  }
}

function draw(examined: ExaminedPath, examination: Examination, drawing: Drawing): void {
  const { device, mode, program, link, components, maps } = examined.path;
  const own = ownCodes(examined);
  const from = drawing.node(deviceNode(device));
  const to = drawing.node(programNode(program));
  const attached = link === undefined ? [mode] : [mode, `link ${link.id}`];
  drawing.edge({ from, to, lines: [...attached, ...own], bad: own.length > 0 });
  for (const component of components) {
    drawing.edge({ from: to, to: drawing.node(programNode(component)), lines: ['calls'], bad: false });
  }
  for (const map of maps) drawMap(examined, map, examination, drawing);
}

function drawMap(examined: ExaminedPath, observed: ObservedMap, { system }: Examination, drawing: Drawing): void {
  const { map, user, entries = [] } = observed;
  const at = drawing.node({ id: `map_${map.id}`, shape: 'map', lines: mapText(observed).split(', '), bad: false });
  drawing.edge({ from: `prog_${user.id}`, to: at, lines: [], bad: false });
  const targets = new Map(entries.map(({ entry, target }) => [entry.key, target]));
  for (const { key, target, codes } of arrowsOf(examined, observed, system)) {
    const device = key === undefined ? undefined : targets.get(key);
    const bad = codes.length > 0;
    const node =
      device === undefined
        ? otherNode(`${map.id}_${key ?? 'any'}`, target === '' ? 'no entry' : target, bad)
        : deviceNode(device);
    const inEntry = /\[.*\]$/.exec(target)?.[0] ?? [];
    const lines = [key === undefined ? 'any key' : `key ${key}`, inEntry, codes].flat();
    drawing.edge({ from: at, to: drawing.node(node), lines, bad });
  }
}

function deviceNode(device: LiveDevice): GraphNode {
  const id = `dev_${device.netns.inode}_${device.ifindex}`;
  return { id, shape: 'device', lines: [nameOf(device, device.ifindex)], bad: false };
}

function programNode(program: ExaminedPath['path']['program']): GraphNode {
  return { id: `prog_${program.id}`, shape: 'program', lines: [programText(program)], bad: false };
}

function otherNode(id: string, text: string, bad: boolean): GraphNode {
  return { id: `end_${id}`, shape: 'nothing', lines: [text], bad };
}
