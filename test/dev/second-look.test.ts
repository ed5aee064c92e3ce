import { describe, expect, it } from 'vitest';

import { type ProjectResult, secondLook } from '../../bin/dev/second-look.mjs';

function ended(test: string, state: ProjectResult['state'], reason?: string): ProjectResult {
  const file = test.split(' ', 1)[0]!;
  return { name: test, file, state, project: 'kernel', ...(reason !== undefined && { reason }) };
}

/** Looks at these once more; the second time they end so. */
async function look(
  first: ProjectResult[],
  again: ProjectResult[],
): Promise<{ results: ProjectResult[]; disturbed: ProjectResult[]; ran: unknown[][] }> {
  const ran: unknown[][] = [];
  const judged = await secondLook(first, async (...words) => {
    ran.push(words);
    return again;
  });
  return { ...judged, ran };
}

describe('a second look at tests that failed beside others', () => {
  it('runs their files alone, and tells why those failed at first that pass now', async () => {
    const first = ended('b one', 'failed', 'one more socket');
    const now = [ended('b one', 'passed'), ended('b two', 'passed')];
    expect(await look([ended('a one', 'passed'), first, ended('b two', 'passed')], now)).toEqual({
      ran: [['kernel', ['b']]],
      results: [ended('a one', 'passed'), ...now],
      disturbed: [first],
    });
  });

  it('runs the tests too that a failed set-up kept back', async () => {
    const first = ended('b (set-up or clean-up)', 'failed', 'no room');
    const now = [ended('b one', 'passed')];
    expect(await look([first, ended('b one', 'skipped')], now)).toMatchObject({ results: now, disturbed: [first] });
  });

  it.each([
    ['fails again', [ended('b one', 'failed', 'still')]],
    ['fails again in one of two tests of the name', [ended('b one', 'passed'), ended('b one', 'failed', 'still')]],
  ])('leaves failed what %s', async (_, now) => {
    expect(await look([ended('b one', 'failed', 'first')], now)).toMatchObject({ results: now, disturbed: [] });
  });

  it('leaves failed what it does not find again, and what was killed with its process', async () => {
    const first = ended('b one', 'failed', 'first');
    const lost = { name: 'b one', state: 'failed', reason: 'no result' } as const;
    expect(await look([first], [])).toMatchObject({ results: [first], disturbed: [] });
    expect(await look([first], [lost])).toMatchObject({ results: [first, lost], disturbed: [] });
    expect(await look([first], [ended('b two', 'passed'), lost])).toMatchObject({
      results: [ended('b two', 'passed'), lost],
      disturbed: [],
    });
  });

  it('counts what fails only alone', async () => {
    const now = [ended('b one', 'passed'), ended('b two', 'failed', 'late')];
    const { results } = await look([ended('b one', 'failed', 'first'), ended('b two', 'passed')], now);
    expect(results).toEqual(now);
  });

  it.each([
    ['nothing has failed', [ended('a one', 'passed')]],
    ['more has failed than a neighbour disturbs', ['a', 'b', 'c', 'd'].map((file) => ended(file, 'failed', 'x'))],
    ['a process died', [{ name: 'a one', state: 'failed', reason: 'no result', project: 'kernel' } as const]],
    ['what failed is no test', [{ name: 'lint', state: 'failed', reason: 'exit 1' } as const]],
  ])('is not taken where %s', async (_, first) => {
    expect(await look(first, [])).toEqual({ results: first, disturbed: [], ran: [] });
  });
});
