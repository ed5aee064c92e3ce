import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import type { Privilege } from '../../src/cli/manual/privileges.ts';
import {
  type Attempt,
  attempt,
  capabilitiesIn,
  isDone,
  isRefused,
  isWhole,
  type PrivilegeCase,
  privilegeCases,
  type User,
  without,
} from '../support/privileges.ts';

/** `npm run privileges`: finds out what each command needs, and writes it into the data of the manual. */
const dataFile = join(import.meta.dirname, '..', '..', 'src', 'cli', 'manual', 'privileges.ts');

const measured: Privilege[] = [];

it.each(privilegeCases)('$words', (entry) => {
  const root = needed(entry, 'root', [], isDone);
  expect(root, 'what root needs').toBeDefined();
  const other = needed(entry, 'other', [], isDone);
  const more = needed(entry, 'root', root!, isWhole)?.filter((name) => !root!.includes(name)) ?? [];
  measured.push({ words: entry.words, root: root!, ...(other && { other }), ...(more.length > 0 && { more }) });
});

afterAll(() => {
  if (measured.length !== privilegeCases.length) return;
  const text = readFileSync(dataFile, 'utf8');
  const rows = measured.map((row) => `  ${JSON.stringify(row)},\n`).join('');
  writeFileSync(dataFile, text.replace(/= \[[^]*\];\n$/, `= [\n${rows}];\n`));
});

/**
 * Adds what the command says is missing until it is content, and then takes away whatever makes no difference: those that
 * are left are all needed. Undefined where it says that only root can do it.
 *
 * @param given what it has from the start
 * @throws Error where a refusal names nothing that is missing
 */
function needed(
  entry: PrivilegeCase,
  user: User,
  given: readonly string[],
  content: (result: Attempt) => boolean,
): string[] | undefined {
  let needs = [...given];
  for (;;) {
    const result = attempt(entry, user, [needs])[0]!;
    if (content(result)) break;
    const named = capabilitiesIn(result.stderr).filter((name) => !needs.includes(name));
    if (named.length === 0 && isRefused(result) && result.stderr.includes('root user')) return undefined;
    if (named.length === 0) throw new Error(`with ${needs.join(', ')}: exit ${result.status}: ${result.stderr}`);
    needs.push(...named);
  }
  // CAP_SYS_ADMIN, which stands for many others, goes first.
  for (const name of needs.toSorted().toReversed()) {
    if (given.includes(name)) continue;
    if (content(attempt(entry, user, [without(needs, name)])[0]!)) needs = without(needs, name);
  }
  return needs.toSorted();
}
