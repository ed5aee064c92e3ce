import { describe, expect, it } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { explain } from '../../src/domain/explain.ts';

const root = { capabilities: new Set(['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_BPF']), kernelRelease: '6.18.0' };
const path = '/x/prog.o';
const failed = "prog 'p': BPF program load failed: Permission denied";

describe('a refused BPF object', () => {
  it.each([
    ['object open', 2, {}, 'not-found', 'there is no file /x/prog.o'],
    [
      'object open',
      95,
      { log: "elf: 'x' is not a proper ELF object" },
      'usage',
      /that libbpf can read: elf: 'x' is not/,
    ],
    ['object load', 22, { log: "map 'm': failed to create" }, 'refused', /cannot be loaded: map 'm': failed to create/],
    ['object load', 22, { log: failed }, 'refused', "the kernel refuses program 'p' without saying why"],
    [
      'object load',
      13,
      { log: `${failed}\nprog 'p': -- BEGIN PROG LOAD LOG --\nR1 !read_ok\n-- END PROG LOAD LOG --` },
      'refused',
      "the verifier refuses program 'p': R1 !read_ok",
    ],
    [
      'object load',
      11,
      { log: `${failed}\nprog 'p': -- BEGIN PROG LOAD LOG --\n7: (95) exit\n-- END PROG LOAD LOG --` },
      'refused',
      "signals kept the kernel from loading program 'p'",
    ],
    ['object load', 1, { log: failed }, 'permission', /does not permit this: object load \/x\/prog\.o/],
  ])('%s, errno %i', (operation, errno, facts, kind, message) => {
    const error = explain(new KernelRefusal(operation, errno, { path, ...facts }), root);
    expect(error).toMatchObject({ kind, errno, operation });
    expect(error.message).toMatch(message);
  });
});

it('says of the reader of an xskmap what it lacks, where that is why the verifier refuses it', () => {
  const verdict = 'R1 pointer comparison prohibited';
  const facts = {
    path: '/x/xskmap_queues.bpf.o',
    log: `${failed}\nprog 'p': -- BEGIN PROG LOAD LOG --\n${verdict}\n-- END PROG LOAD LOG --`,
  };
  const refusal = new KernelRefusal('object load', 13, facts);
  expect(explain(refusal, { ...root, capabilities: new Set(['CAP_BPF']) })).toMatchObject({
    kind: 'permission',
    message: 'on this kernel reading an xskmap needs CAP_PERFMON, which this process does not have',
  });
  expect(explain(refusal, root)).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining(verdict) as string,
  });
});
