import type { ErrorKind } from './errors.ts';

/** The one table of exit codes; run, help, manual and tests read it. */
export const exitCodes: Readonly<Record<ErrorKind, number>> = {
  refused: 1,
  usage: 2,
  'not-found': 3,
  permission: 4,
  unsupported: 5,
  conflict: 6,
  findings: 10,
  bug: 70,
};

export const exitCodeMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done; an empty list; the reader of the output has gone (EPIPE)'],
  [1, 'the kernel or a tool refused, for a reason that has no code of its own (map full, map frozen)'],
  [2, 'wrong usage or invalid input, ambiguous name, wrong kind of pin, program or CPU: nothing was changed'],
  [3, 'not found: map, entry, program, interface, pin; the end of getnext'],
  [4, 'permission: the message names the missing capability'],
  [5, 'not supported or missing here: kernel, driver, libbpf.so, bpftrace or perf; the message says what is required'],
  [6, 'conflict: exists already, busy, attached by another'],
  [10, 'findings, only where --exit-code was given'],
  [70, 'a bug of xdpctl itself; --debug shows where'],
];
