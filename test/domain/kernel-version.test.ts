import { release } from 'node:os';

import { describe, expect, it } from 'vitest';

import { kernelAtLeast, parseKernelVersion } from '../../src/domain/kernel-version.ts';

describe('kernel versions', () => {
  it.each([
    ['6.18.44-fc-v595', { major: 6, minor: 18 }],
    ['5.4.0-150-generic', { major: 5, minor: 4 }],
    ['6.1-rc2', { major: 6, minor: 1 }],
    ['generic', undefined],
    ['6', undefined],
  ])('reads %s', (text, version) => {
    expect(parseKernelVersion(text)).toEqual(version);
  });

  it("reads this machine's", () => {
    expect(parseKernelVersion(release())).toBeDefined();
  });

  it.each([
    ['6.18', '6.3', true],
    ['6.3', '6.3', true],
    ['6.2', '6.3', false],
    ['5.19', '6.0', false],
    ['7.0', '6.17', true],
  ])('%s at least %s: %s', (kernel, wanted, answer) => {
    expect(kernelAtLeast(parseKernelVersion(kernel)!, wanted)).toBe(answer);
  });

  it('refuses a wanted version that is none', () => {
    expect(() => kernelAtLeast({ major: 6, minor: 1 }, 'new')).toThrow(TypeError);
  });
});
