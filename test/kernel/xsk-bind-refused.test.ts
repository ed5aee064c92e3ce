import { describe, expect, it } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { explain } from '../../src/domain/explain.ts';
import { type XskCopyMode, XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { surroundings } from '../../src/kernel/surroundings.ts';
import { createWorld, type End, setLink } from '../support/world.ts';

const spec = { frames: 4, frameSize: 2048, rxSize: 4, fillSize: 4, completionSize: 4 };

/** How the kernel's refusal is worded. */
function refusalOf({ namespace = '', ifindex }: End, queue: number, mode: XskCopyMode): unknown {
  using socket = inNetns(namespace, () => XskSocket.open(spec));
  try {
    return `bound: ${socket.bind(ifindex, queue, mode)}`;
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error;
    const { kind, message, hint, errno } = explain(error, surroundings());
    return { kind, message, hint, errno };
  }
}

describe('a bind that this kernel refuses', () => {
  it('is told as what it is', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace }, { namespace });
    expect(refusalOf(a, 0, 'zerocopy')).toEqual({
      kind: 'unsupported',
      message: 'the driver of this interface has no AF_XDP in zero-copy mode',
      hint: 'with --copy every driver will do',
      errno: 95,
    });
    expect(refusalOf(a, 99, 'auto')).toMatchObject({ kind: 'usage', errno: 22 });
    setLink(namespace, 'del', a.name);
    expect(refusalOf(a, 0, 'copy')).toMatchObject({ kind: 'not-found', errno: 19 });
  });

  it('is none where the driver has no zero-copy and none was asked for, nor on a device that is down', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace, up: false }, { namespace });
    expect(refusalOf(a, 0, 'auto')).toBe('bound: true');
  });
});
