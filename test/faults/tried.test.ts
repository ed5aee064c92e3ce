import { expect, it } from 'vitest';

import type { Call } from './support/faulty-command.ts';
import { SAMPLE } from './support/sample.ts';
import { triedCalls, triedKills } from './support/tried.ts';

/** Calls as a command tells them; `bpf 0 *3` for one that it makes three times. */
function calls(...texts: readonly string[]): Call[] {
  return texts.flatMap((text) => {
    const [, name = '', detail = '', times = '1'] = /^(\S+) ?(.*?)(?: \*(\d+))?$/.exec(text) ?? [];
    return Array.from({ length: Number(times) }, (_, index) => ({ name, detail, nth: index + 1 }));
  });
}

it.each(['one', 'two', 'three', 'four', 'five'])(
  'the sample of %s is the same whatever else the machine has',
  (title) => {
    const alone = calls('bpf 0 *4', 'bpf 13 *2', 'stat /sys/fs/bpf/xtabcdefghijkl/m', 'recv socket family 16');
    const busy = calls('bpf 0 *4', 'bpf 13 *90', 'stat /sys/fs/bpf/xt0123456789ab/m', 'recv socket family 16 *70');
    const sample = triedCalls(title, alone, 'sample');
    expect(sample).toHaveLength(SAMPLE);
    expect(triedCalls(title, busy, 'sample')).toEqual(
      sample.map((call) => ({ ...call, detail: call.detail.replace('xtabcdefghijkl', 'xt0123456789ab') })),
    );
  },
);

it('of all calls each is tried, but for walks over what the machine has', () => {
  const all = calls(
    'bpf 0 *24',
    'open /proc/self/status *2',
    'readlink /proc/N/fd/N *900',
    'recv socket family 16 *100',
  );
  const tried = triedCalls('all', all, 'all');
  const count = (name: string): number => tried.filter((call) => call.name === name).length;
  expect(['bpf', 'open', 'readlink', 'recv'].map(count)).toEqual([24, 2, 3, 24]);
  expect(tried).toEqual(expect.arrayContaining([all[0], all[23], all[26], all.at(-1)]));
});

it('a command is killed before each of its changes, and at the beginning, within and at the end of its looks', () => {
  const all = calls('bpf 2 *20', 'unlink /x *4', 'fstat open /x *24', 'recv socket family 16 *100');
  const tried = triedKills('all', all, 'all');
  const count = (name: string): number => tried.filter((call) => call.name === name).length;
  expect(['bpf', 'unlink', 'fstat', 'recv'].map(count)).toEqual([20, 4, 3, 3]);
});
