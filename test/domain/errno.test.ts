import { constants } from 'node:os';

import { describe, expect, it } from 'vitest';

import { allErrnos, errnoName, errnoNumber, errnoText } from '../../src/domain/errno.ts';

describe('errno', () => {
  it("agrees with what Node took from this machine's headers", () => {
    for (const [name, number] of Object.entries(constants.errno)) {
      expect([name, errnoNumber(name)]).toEqual([name, number]);
    }
  });

  it('goes from number to name and back for every row, and says something about each', () => {
    const rows = allErrnos();
    expect(rows).toHaveLength(132);
    expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
    for (const { number, name, text } of rows) {
      expect(errnoName(number)).toBe(name);
      expect(errnoNumber(name)).toBe(number);
      expect(errnoText(number)).toBe(text);
      expect(text).not.toBe('');
    }
  });

  it('takes the negative numbers of the tracepoints', () => {
    expect(errnoName(-95)).toBe('EOPNOTSUPP');
    expect(errnoText(-100)).toBe('network device is down');
  });

  it('knows the number that only the kernel has a name for', () => {
    expect(errnoName(524)).toBe('ENOTSUPP');
    expect(errnoNumber('ENOTSUPP')).toBe(524);
  });

  it('takes second names and any case', () => {
    expect(errnoNumber('EWOULDBLOCK')).toBe(11);
    expect(errnoNumber('ENOTSUP')).toBe(95);
    expect(errnoNumber('enodev')).toBe(19);
  });

  it('has no name for what Linux does not use', () => {
    for (const number of [0, 41, 58, 134, 523, 4095, 1.5, Number.NaN]) expect(errnoName(number)).toBeUndefined();
    expect(errnoNumber('ENOSUCH')).toBeUndefined();
    expect(errnoNumber('')).toBeUndefined();
  });
});
