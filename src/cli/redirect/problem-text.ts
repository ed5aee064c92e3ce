import type { FindingDevice } from '../../domain/finding.ts';
import type { Painter } from '../../output/color.ts';
import { printable } from '../../output/printable.ts';
import type { ProblemData } from './problem-data.ts';

/** So many keys are named where one thing is wrong with many. */
const MOST_KEYS = 8;

/** Problems for people: what is the same at several keys is told once. */
export function problemsText(problems: readonly ProblemData[], paint: Painter): string {
  const groups = new Map<string, ProblemData[]>();
  for (const problem of problems) {
    const { key: _, ...rest } = problem;
    const alike = JSON.stringify(rest);
    const group = groups.get(alike);
    if (group === undefined) groups.set(alike, [problem]);
    else group.push(problem);
  }
  return [...groups.values()].map((group) => groupText(group, paint)).join('\n');
}

function groupText(group: readonly ProblemData[], paint: Painter): string {
  const [first] = group;
  if (first === undefined) return '';
  const { code, certainty, from, to, prog, map, explanation, fix } = first;
  const path = [deviceText(from), ...(to === undefined ? [] : [deviceText(to)])].join(' -> ');
  const facts = [
    ...(map === undefined ? [] : [`map ${map.name ?? ''} (${map.id})`]),
    ...keysText(group.flatMap(({ key }) => key ?? [])),
    `program ${prog.name ?? ''} (${prog.id})`,
  ];
  const lines = [
    `${paint('bad', code)} (${certainty})  ${printable(path)}`,
    `    ${printable(explanation)}`,
    paint('dim', `    ${printable(facts.join(', '))}`),
    ...(fix === undefined ? [] : [`    ${paint('ok', 'fix:')} ${printable(fix)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function keysText(keys: readonly number[]): string[] {
  if (keys.length === 0) return [];
  const more = keys.length > MOST_KEYS ? ` and ${keys.length - MOST_KEYS} more` : '';
  return [`${keys.length === 1 ? 'key' : 'keys'} ${keys.slice(0, MOST_KEYS).join(', ')}${more}`];
}

function deviceText({ ifindex, ifname, netns }: FindingDevice): string {
  const name = ifname ?? `ifindex ${ifindex}`;
  return netns === undefined ? name : `${name} (netns ${netns})`;
}
