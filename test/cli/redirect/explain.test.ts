import { describe, expect, it } from 'vitest';

import { checkCodes } from '../../../src/domain/check-catalogue.ts';
import { runHere } from '../../support/run-here.ts';

describe('debug explain', () => {
  it.each(checkCodes)('knows %s, which redirect check finds', async (code) => {
    const { status, stdout, stderr } = await runHere('debug', 'explain', code);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^${code}: `));
    expect(stdout).not.toContain('lost in');
    expect((await runHere('-j', 'debug', 'explain', code)).json()).toMatchObject([{ code, signals: [] }]);
  });

  it('proposes a code of either catalogue for a word that is none', async () => {
    const { status, stderr } = await runHere('debug', 'explain', 'cpu-offlin');
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('cpu-offline') as string });
  });
});
