import { describe, expect, it } from 'vitest';

import { builtinPath } from '../support/builtin-path.ts';
import { xdpctl } from '../support/command.ts';

/** For a place where every call of bpf(2) fails with ENOSYS, as under qemu-user. */
describe('without bpf(2)', () => {
  it.each([
    'map show',
    'map create xdpctl_nothing type devmap entries 1',
    'map dump pinned /sys/fs/bpf/xdpctl_nothing',
    `prog load ${builtinPath('pass')} xdpctl_nothing`,
    'redirect show',
    'link show',
    'debug drops --duration 100ms',
  ])('%s is not supported, and says what is missing', (words) => {
    const { status, stdout, stderr } = xdpctl(words.split(' '), { milliseconds: 120_000 });
    expect(stderr).toMatch(/^error: .*\nhint: .*CONFIG_BPF_SYSCALL.*\n$/);
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
  });
});
