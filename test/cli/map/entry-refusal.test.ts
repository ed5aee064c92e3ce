import { expect, it } from 'vitest';

import { refusedEntry } from '../../../src/cli/map/entry-refusal.ts';
import { encodeCpumapValue } from '../../../src/domain/cpumap.ts';
import { KernelRefusal } from '../../../src/domain/errors.ts';
import type { BpfMap } from '../../../src/kernel/map.ts';

const cpumap = { info: { typeName: 'cpumap', type: 16, id: 7 } } as BpfMap;
const entry = { key: Uint8Array.of(0, 0, 0, 0), value: encodeCpumapValue({ qsize: 64, prog: 622 }, 8) };

it.each([
  ['ENOMEM', 12, 'of Linux 6.18 and before'],
  ['EBADF', 9, 'of Linux 7.2'],
  ['EINVAL', 22, 'of a program of another type'],
])('%s (%i) of a cpumap, %s, is said of the descriptor in the value', (_name, errno) => {
  expect(refusedEntry(new KernelRefusal('map update', errno, {}), cpumap, entry)).toMatchObject({
    kind: 'usage',
    message: 'descriptor 622, in bytes 4 to 7 of the value, is no open program that cpumap 7 takes',
  });
});
