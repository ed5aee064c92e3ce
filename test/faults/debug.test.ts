import { type ChangeIn, meetFaults } from './support/meet-faults.ts';

/** What listens for a moment: all that it makes goes with it. */
function listening(text: string): ChangeIn {
  return ({ done, words }) => ({
    words: words(`debug ${text} --duration 100ms`),
    passing: true,
    prepare: () => done(...words('redirect attach A --to B')),
  });
}

meetFaults({
  'debug drops --via builtin': listening('drops A --via builtin'),
  'debug drops --via bpftrace': listening('drops A --via bpftrace'),
  'debug drops --via perf': listening('drops A --via perf'),
  'debug events': listening('events'),
  'debug record': (world) => {
    const { words } = listening('record -o %record.data')(world);
    return { words };
  },
});
