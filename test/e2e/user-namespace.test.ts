import { describe, expect, it } from 'vitest';

import { xdpctl } from '../support/command.ts';

/** Root of a user namespace, who has every capability there and none that counts for BPF. */
const inContainer = ['unshare', '--user', '--map-root-user', '--net', '--'];

describe('root of a container without root', () => {
  it.each([
    ['map show', 'CAP_SYS_ADMIN'],
    ['map create xdpctl_none type devmap entries 1', 'CAP_BPF'],
    ['net attach xdpgeneric builtin pass dev lo', 'CAP_BPF'],
    ['redirect show', 'CAP_SYS_ADMIN'],
  ])('is told by %s that %s is missing, and where it counts', (words, capability) => {
    const { status, stdout, stderr } = xdpctl(words.split(' '), { wrapper: inContainer });
    expect(stderr).toContain(`${capability}, which this process does not have`);
    expect(stderr).toMatch(/\nhint: .*user namespace.*: run it as root of the host\n$/);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
  });

  it('is told by debug drops what tracing takes', () => {
    const { status, stderr } = xdpctl(['debug', 'drops', '--duration', '100ms', '--via', 'builtin'], {
      wrapper: inContainer,
    });
    expect(stderr).toContain('CAP_BPF and CAP_PERFMON');
    expect(status).toBe(4);
  });
});
