import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { framesThrough } from '../support/frames.ts';
import { typed } from '../support/typed.ts';
import { Experiment, names } from './support/experiment.ts';
import { type Counting, isMade, type LossCase, lostIn, nameOfCase, sendThrough } from './support/loss-case.ts';
import { intactCases, lossCases } from './support/loss-cases.ts';

describe.each(Object.entries(lossCases))('frames that are lost %s', (_where, cases) => {
  const named = cases.map((each) => [nameOfCase(each), each] as const);
  const made = cases.filter(isMade);
  const experiment = new Experiment();

  beforeAll(async () => {
    await experiment.run(made, sendThrough);
  }, 300_000);

  afterAll(() => experiment[Symbol.dispose]());

  describe.each(names)('%s', (backend) => {
    const titled = cases.map((each) => [titleOf(each, backend), each] as const);

    it.for(titled)('%s', ([, each], context) => {
      if (!isMade(each)) context.skip(`that takes Linux ${each.since}`);
      const path = experiment.pathOf(each);
      const findings = experiment.findingsAbout(path, backend);
      const { code } = each;
      const explanation = expect.stringContaining(each.says?.(path) ?? '') as string;
      const seen = [{ code, count: lostIn(each, path), explanation, ...each.finding?.(path) }, ...(each.also ?? [])];
      expect(findings).toMatchObject(each.blind?.includes(backend) ? [] : seen);
    });

    it('misses none and knows it', () => {
      expect(experiment.resultOf(backend)).toMatchObject({ undercount: [], end: { why: 'asked' } });
    });
  });

  it.each(names.filter((name) => name !== 'builtin'))('give the same findings through builtin and %s', (name) => {
    const seen = made.filter(({ blind }) => !blind?.includes(name)).map((each) => experiment.pathOf(each));
    const [builtin, other] = (['builtin', name] as const).map((backend) =>
      seen.flatMap((path) => experiment.findingsAbout(path, backend)),
    );
    expect(other).toEqual(builtin);
  });

  const mended = named.filter(([, { mends }]) => mends);

  it.for(mended)('arrive once the command for %s is typed', async ([, each], context) => {
    if (!isMade(each)) context.skip(`that takes Linux ${each.since}`);
    if (each.blind?.includes('builtin')) context.skip('this kernel tells nobody');
    const path = experiment.pathOf(each);
    const [finding] = experiment.findingsAbout(path, 'builtin');
    typed(finding!.fix!);
    const { count, size = 60 } = each;
    expect(await framesThrough(path.source, path.sink, { count, size, seconds: 10 })).toBe(count);
  });
});

describe('frames that are not lost', () => {
  const experiment = new Experiment();

  beforeAll(async () => {
    await experiment.run(intactCases.filter(isMade), async (each, path) => {
      await sendThrough(each, path);
      await each.untilArrived(path);
    });
  }, 300_000);

  afterAll(() => experiment[Symbol.dispose]());

  describe.each(names)('%s', (backend) => {
    it.for(
      intactCases.map((each) => [`${each.how}${each.mode === undefined ? '' : ' (generic mode)'}`, each] as const),
    )('%s', ([, each], context) => {
      if (!isMade(each)) context.skip(`that takes Linux ${each.since}`);
      expect(experiment.findingsAbout(experiment.pathOf(each), backend)).toEqual([]);
    });
  });
});

/** What the table of kernels is counted from (test/vm/table.mjs). */
function titleOf(each: LossCase, backend: Counting): string {
  return `${nameOfCase(each)}${each.blind?.includes(backend) ? ': not seen' : ''}`;
}
