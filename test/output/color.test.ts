import { describe, expect, it } from 'vitest';

import { painter, wantsColor } from '../../src/output/color.ts';

type Case = [choice: 'auto' | 'always' | 'never', env: Record<string, string>, terminal: boolean, color: boolean];

describe('colour', () => {
  it.each<Case>([
    ['auto', {}, true, true],
    ['auto', {}, false, false],
    ['always', { NO_COLOR: '1', FORCE_COLOR: '0', TERM: 'dumb' }, false, true],
    ['never', { FORCE_COLOR: '1' }, true, false],
    ['auto', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    ['auto', { FORCE_COLOR: '1', TERM: 'dumb' }, false, true],
    ['auto', { FORCE_COLOR: '0' }, true, false],
    ['auto', { TERM: 'dumb' }, true, false],
    ['auto', { NO_COLOR: '' }, true, true],
    ['auto', { FORCE_COLOR: '' }, false, false],
  ])('--color %s, %j, on a terminal: %s', (choice, env, terminal, color) => {
    expect(wantsColor(choice, env, terminal)).toBe(color);
  });

  it('is nothing but escapes around the text', async () => {
    const [colored, plain] = [await painter(true), await painter(false)];
    expect(colored('bad', 'x')).toBe('\u001b[31mx\u001b[39m');
    expect(colored(undefined, 'x')).toBe('x');
    expect(plain('bad', 'x')).toBe('x');
  });
});
