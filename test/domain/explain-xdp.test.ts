import { describe, expect, it } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { explain } from '../../src/domain/explain.ts';

const root = { capabilities: new Set(['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_BPF']), kernelRelease: '6.18.0' };

/** What Linux 6.18 was seen to answer (errno, extended ack), and how it is told. */
const answers: [operation: string, errno: number, extack: string | undefined, kind: string, message: string][] = [
  [
    'xdp attach',
    95,
    'Underlying driver does not support XDP in native mode',
    'unsupported',
    'eth0 cannot run XDP programs in native mode: underlying driver does not support XDP in native mode',
  ],
  [
    'xdp attach',
    16,
    'XDP program already attached',
    'conflict',
    'the program cannot be attached to eth0: XDP program already attached',
  ],
  [
    'xdp attach',
    17,
    "Native and generic XDP can't be active at the same time",
    'conflict',
    "the program cannot be attached to eth0: native and generic XDP can't be active at the same time",
  ],
  [
    'xdp attach',
    16,
    "Can't replace active BPF XDP link",
    'conflict',
    "the program cannot be attached to eth0: can't replace active BPF XDP link",
  ],
  [
    'xdp detach',
    17,
    'Active program does not match expected',
    'conflict',
    'the program cannot be detached from eth0: active program does not match expected',
  ],
  [
    'xdp attach',
    34,
    'veth: Peer MTU is too large to set XDP',
    'refused',
    'the program cannot be attached to eth0: veth: Peer MTU is too large to set XDP',
  ],
  [
    'xdp attach',
    28,
    'veth: XDP expects number of rx queues not less than peer tx queues',
    'refused',
    'the program cannot be attached to eth0: veth: XDP expects number of rx queues not less than peer tx queues',
  ],
  [
    'xdp attach',
    22,
    'BPF_XDP_DEVMAP programs can not be attached to a device',
    'usage',
    'the program cannot be attached to eth0: BPF_XDP_DEVMAP programs can not be attached to a device',
  ],
  ['xdp attach', 22, undefined, 'refused', 'the program cannot be attached to eth0'],
  ['xdp attach', 19, undefined, 'not-found', 'there is no interface eth0 in this network namespace'],
  ['xdp attach', 5, 'the card is on fire', 'refused', 'the program cannot be attached to eth0: the card is on fire'],
  ['xdp attach', 5, undefined, 'refused', 'xdp attach eth0 failed: input/output error'],
];

describe('a refused link', () => {
  it.each([
    ['xdp link', 22, 'unsupported', /Linux 5\.9/],
    ['link update', 1, 'conflict', /link 7 does not hold the program that it was expected to hold/],
    ['link update', 67, 'conflict', /link 7 does not hold/],
    ['link detach', 67, 'conflict', /link 7 does not hold/],
    ['link update', 5, 'refused', /link update 7 failed/],
  ])('%s, errno %i', (operation, errno, kind, message) => {
    const error = explain(new KernelRefusal(operation, errno, { id: 7 }), root);
    expect(error).toMatchObject({ kind, errno });
    expect(error.message).toMatch(message);
  });
});

describe('a refused XDP attachment', () => {
  it.each(answers)('%s, errno %i, %s', (operation, errno, extack, kind, message) => {
    const facts = { ifindex: 2, ifname: 'eth0', mode: 'native', ...(extack !== undefined && { extack }) };
    expect(explain(new KernelRefusal(operation, errno, facts), root)).toMatchObject({
      kind,
      message,
      errno,
      operation,
    });
  });

  it('names --mode generic where native mode is not possible, and only there', () => {
    expect(hintOf('native')).toContain('--mode generic');
    expect(hintOf('offload')).toBeUndefined();
  });

  it('names the capability that is missing', () => {
    const weak = { ...root, capabilities: new Set(['CAP_BPF']) };
    const error = explain(new KernelRefusal('xdp attach', 1, { ifindex: 2, ifname: 'eth0' }), weak);
    expect(error.kind).toBe('permission');
    expect(error.message).toContain('CAP_NET_ADMIN');
  });
});

function hintOf(mode: string): string | undefined {
  return explain(new KernelRefusal('xdp attach', 95, { ifindex: 2, mode }), root).hint;
}

it('says of generic mode before Linux 5.15 what the kernel does not', () => {
  const refusal = new KernelRefusal('xdp attach', 22, { ifname: 'eth0', mode: 'generic' });
  expect(explain(refusal, { ...root, kernelRelease: '5.10.0-32-cloud-amd64' })).toMatchObject({
    kind: 'unsupported',
    message: expect.stringContaining('before Linux 5.15') as string,
    hint: 'use a devmap with values of 4 bytes, or native mode',
  });
  expect(explain(refusal, root)).toMatchObject({ kind: 'refused', message: 'the program cannot be attached to eth0' });
});

it('names programs that are aware of fragments only where the kernel takes them', () => {
  const refusal = new KernelRefusal('xdp attach', 34, { ifname: 'eth0', extack: 'Peer MTU is too large to set XDP' });
  expect(explain(refusal, root).hint).toContain('SEC("xdp.frags")');
  expect(explain(refusal, { ...root, kernelRelease: '5.10.0-32-cloud-amd64' }).hint).toBe('lower the MTU');
});
