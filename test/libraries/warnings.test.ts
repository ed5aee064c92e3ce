import { describe, expect, it } from 'vitest';

import { builtinPath } from '../support/builtin-path.ts';
import { PinFolder, xdpctl } from '../support/command.ts';

const env = { NODE_OPTIONS: '--pending-deprecation --throw-deprecation --trace-warnings' };

describe('this Node.js', () => {
  it.each([
    ['map show'],
    ['-j map show'],
    ['-j prog show'],
    ['net show'],
    ['net features'],
    ['link show'],
    ['redirect show'],
    ['redirect check'],
    ['xsk show'],
    ['prog run builtin pass'],
    ['-q debug events --duration 200ms'],
    ['-q debug drops --duration 200ms --via builtin'],
    ['-q debug drops --duration 200ms --via bpftrace'],
  ])('gives no warning in %s', (words) => {
    const { status, stderr } = xdpctl(words.split(' '), { env });
    expect({ status, stderr: stderr.replace(/^ready: .*\n/, '') }).toEqual({ status: 0, stderr: '' });
  });

  it('gives no warning in commands that change something', () => {
    using pins = new PinFolder();
    const lines = [
      `map create ${pins.pin('targets')} type devmap entries 8`,
      `map dump pinned ${pins.pin('targets')}`,
      `prog load ${builtinPath('pass')} ${pins.pin('pass')}`,
      `prog show pinned ${pins.pin('pass')}`,
    ];
    const { status, stderr } = xdpctl(['batch', 'file', '-'], { env, input: `${lines.join('\n')}\n` });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
