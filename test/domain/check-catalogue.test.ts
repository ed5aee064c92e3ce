import { describe, expect, it } from 'vitest';

import { checkCatalogue, checkCause, checkCodes } from '../../src/domain/check-catalogue.ts';
import { dropCodes } from '../../src/domain/drop-catalogue.ts';

describe('the catalogue of what is no loss yet', () => {
  it('has every code that scripts rely on, once, and none of a lost frame', () => {
    expect(checkCodes.toSorted()).toEqual(
      [
        'ingress-down',
        'queue-without-socket',
        'cpu-offline',
        'frags-clash',
        'mode-conflict',
        'target-in-other-netns',
        'broadcast-starved',
        'dispatcher-in-front',
        'program-drop',
      ].toSorted(),
    );
    expect(checkCodes.filter((code) => (dropCodes as readonly string[]).includes(code))).toEqual([]);
  });

  it.each(checkCatalogue.map((cause) => [cause.code, cause] as const))('%s is complete', (code, cause) => {
    expect(checkCause(code)).toBe(cause);
    expect(cause.summary).not.toMatch(/\.$/);
    expect(cause.explanation).toMatch(/\.$/);
    expect(cause.fix).not.toBe('');
    for (const name of cause.functions) expect(name).toMatch(/^[a-z_][a-z0-9_]+$/);
  });

  it('knows no other word', () => {
    expect(checkCause('map-miss')).toBeUndefined();
    expect(checkCause('')).toBeUndefined();
  });
});
