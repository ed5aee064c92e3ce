import type { Typed } from '../../domain/typed-command.ts';
import type { Painter } from '../../output/color.ts';
import { printable } from '../../output/printable.ts';
import type { Examination, ExaminedPath } from './examine.ts';
import { type Arrow, arrowsOf, mapText, ownCodes, programText, summary } from './show-text.ts';

interface Branch {
  readonly text: string;
  readonly codes?: readonly string[];
  readonly branches?: readonly Branch[];
}

/** The paths as trees, in characters that every terminal and every log has. */
export function showTree(examination: Examination, paint: Painter, typed: Typed): string {
  const { examined } = examination;
  const trees = examined.map((each) => drawn(treeOf(each, examination), paint).join('\n'));
  return [...trees, summary(examined, typed)].map((text) => `${text}\n`).join('');
}

function treeOf(examined: ExaminedPath, { system }: Examination): Branch {
  const { device, mode, program, link, components, maps } = examined.path;
  const attached = link === undefined ? '' : `, link ${link.id}`;
  return {
    text: `${device.ifname} (${mode})`,
    codes: ownCodes(examined),
    branches: [
      {
        text: `${programText(program)}${attached}`,
        branches: [
          ...components.map((component) => ({ text: `component ${programText(component)}` })),
          ...maps.map((map) => ({
            text: [mapText(map), ...map.map.pinned].join(', '),
            branches: arrowsOf(examined, map, system).map(arrowBranch),
          })),
        ],
      },
    ],
  };
}

function arrowBranch({ key, target, codes }: Arrow): Branch {
  if (key === undefined) return { text: 'the whole map', codes };
  return { text: target === '' ? `key ${key}, no entry` : `key ${key} -> ${target}`, codes };
}

function drawn({ text, codes = [], branches = [] }: Branch, paint: Painter): string[] {
  const words = codes.length === 0 ? '' : `  ${paint('bad', codes.join(' '))}`;
  return [
    `${printable(text)}${words}`,
    ...branches.flatMap((branch, index) => {
      const last = index === branches.length - 1;
      return drawn(branch, paint).map((line, at) =>
        at === 0 ? `${last ? '`-- ' : '|-- '}${line}` : `${last ? '    ' : '|   '}${line}`,
      );
    }),
  ];
}
