import { describe, expect, it } from 'vitest';

import { type Privilege, privileges } from '../../src/cli/manual/privileges.ts';
import {
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

/** More than anything needs. */
const plenty = ['bpf', 'dac_override', 'dac_read_search', 'net_admin', 'net_raw', 'perfmon', 'sys_admin', 'sys_ptrace'];

/** What happened with each capability of the table missing, and with all of them; whatever is not as told, in words. */
function contradictions(entry: PrivilegeCase, user: User, { root, [user]: needs, more = [] }: Privilege): string[] {
  if (needs === undefined) {
    return attempt(entry, user, [plenty]).flatMap((result) => (isRefused(result) ? [] : [`done: ${result.stderr}`]));
  }
  const all = [...needs, ...more];
  // What root needs too was tried with root.
  const tried = user === 'root' ? needs : needs.filter((name) => !root.includes(name));
  const sets = [...tried.map((name) => without(needs, name)), ...(more.length > 0 ? [needs] : [])];
  // Those that are refused come first: they change nothing.
  const results = attempt(entry, user, [...sets, all]);
  const wrong = tried.flatMap((name, index) => {
    const result = results[index]!;
    const told = isRefused(result) && capabilitiesIn(result.stderr).includes(name);
    return told ? [] : [`without ${name}: exit ${result.status}, ${result.stderr}`];
  });
  const lesser = more.length > 0 ? results.at(-2) : undefined;
  if (lesser !== undefined && !(isDone(lesser) && more.every((name) => capabilitiesIn(lesser.stderr).includes(name)))) {
    wrong.push(`without ${more.join(', ')}: exit ${lesser.status}, ${lesser.stderr}`);
  }
  const whole = results.at(-1)!;
  if (!isWhole(whole)) wrong.push(`with ${all.join(', ')}: exit ${whole.status}, ${whole.stderr}`);
  return wrong;
}

describe('the table of capabilities in the manual', () => {
  it('has all commands that were measured, and no others', () => {
    expect(privileges.map(({ words }) => words)).toEqual(privilegeCases.map(({ words }) => words));
  });

  describe.each(['root', 'other'] as const)('%s', (user) => {
    it.each(privilegeCases)('needs for $words what it says', (entry) => {
      const row = privileges.find(({ words }) => words === entry.words)!;
      expect(contradictions(entry, user, row)).toEqual([]);
    });
  });
});
