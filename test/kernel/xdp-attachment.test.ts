import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { explain } from '../../src/domain/explain.ts';
import { libbpf } from '../../src/ffi/libbpf.ts';
import { loadBuiltinProgram } from '../../src/kernel/builtin-objects.ts';
import { Fd } from '../../src/kernel/fd.ts';
import { enterNetns } from '../../src/kernel/netns.ts';
import type { BpfProgram } from '../../src/kernel/program.ts';
import { surroundings } from '../../src/kernel/surroundings.ts';
import { attachedPrograms, attachXdp, detachXdp } from '../../src/kernel/xdp-attachment.ts';
import { kernelHas, needKernel } from '../support/kernel-has.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { createWorld, type End, setLink, type World } from '../support/world.ts';

/** BPF_XDP (enum bpf_attach_type, linux/bpf.h). */
const BPF_XDP = 37;

let world: World;
let namespace: string;
let a: End;
let b: End;
let pass: BpfProgram;
let inside: Disposable;

beforeEach(() => {
  world = createWorld();
  namespace = world.namespace();
  ({ a, b } = world.veth({ namespace }, { namespace }));
  pass = loadBuiltinProgram('pass');
  inside = enterNetns(namespace);
});

afterEach(() => {
  inside[Symbol.dispose]();
  pass[Symbol.dispose]();
  world[Symbol.dispose]();
});

/** What `bpftool net` says is attached to the device. */
function judged({ ifindex }: End): unknown[] {
  const [{ xdp }] = toolJson('bpftool', ['-j', 'net']) as [{ xdp: { ifindex: number; mode: string; id: number }[] }];
  return xdp.filter((each) => each.ifindex === ifindex).map(({ mode, id }) => ({ mode, id }));
}

/** How a refusal is explained to the user. */
function refusal(act: () => void): { kind: string; message: string; hint: string | undefined; errno: number } {
  try {
    act();
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error;
    const { kind, message, hint } = explain(error, surroundings());
    return { kind, message, hint, errno: error.errno };
  }
  throw new Error('nothing was refused');
}

describe('attaching', () => {
  it.each([
    ['native', 'driver'],
    ['generic', 'generic'],
  ] as const)('%s: is seen by bpftool, and undone by detaching', (mode, shown) => {
    const { id } = pass.info;
    attachXdp(a.ifindex, pass.fd, mode);
    expect(attachedPrograms(a.ifindex)).toEqual([{ mode, progId: id }]);
    expect(judged(a)).toEqual([{ mode: shown, id }]);
    detachXdp(a.ifindex, mode, pass.fd);
    expect(attachedPrograms(a.ifindex)).toEqual([]);
    expect(judged(a)).toEqual([]);
  });

  it('replaces the program that is expected to be there, and no other', () => {
    using second = loadBuiltinProgram('pass');
    using third = loadBuiltinProgram('pass');
    attachXdp(a.ifindex, pass.fd, 'native');
    expect(refusal(() => attachXdp(a.ifindex, second.fd, 'native'))).toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('XDP program already attached'),
    });
    expect(refusal(() => attachXdp(a.ifindex, second.fd, 'native', third.fd))).toMatchObject({ kind: 'conflict' });
    expect(refusal(() => detachXdp(a.ifindex, 'native', third.fd))).toMatchObject({ kind: 'conflict' });
    expect(attachedPrograms(a.ifindex)).toEqual([{ mode: 'native', progId: pass.info.id }]);
    attachXdp(a.ifindex, second.fd, 'native', pass.fd);
    expect(attachedPrograms(a.ifindex)).toEqual([{ mode: 'native', progId: second.info.id }]);
  });

  it('cannot have both modes at once', () => {
    attachXdp(a.ifindex, pass.fd, 'native');
    expect(refusal(() => attachXdp(a.ifindex, pass.fd, 'generic'))).toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(/native and generic XDP can't be active at the same time/i),
    });
  });

  it('does not push a link aside', () => {
    using link = new Fd(libbpf.bpf_link_create(pass.fd, a.ifindex, BPF_XDP, null));
    expect(link.number).toBeGreaterThan(0);
    expect(refusal(() => attachXdp(a.ifindex, pass.fd, 'native'))).toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(/link/),
    });
  });

  it('is unsupported where the driver has no XDP, which generic mode does not mind', () => {
    tool('ip', ['-n', namespace, 'link', 'add', 'br0', 'type', 'bridge']);
    const { ifindex } = (toolJson('ip', ['-n', namespace, '-j', 'link', 'show', 'br0']) as { ifindex: number }[])[0]!;
    expect(refusal(() => attachXdp(ifindex, pass.fd, 'native'))).toMatchObject({
      kind: 'unsupported',
      hint: expect.stringContaining('--mode generic'),
    });
    attachXdp(ifindex, pass.fd, 'generic');
    expect(attachedPrograms(ifindex)).toEqual([{ mode: 'generic', progId: pass.info.id }]);
  });

  it("refuses programs for entries, with the kernel's words", () => {
    using egress = loadBuiltinProgram('egress_devmap');
    expect(refusal(() => attachXdp(a.ifindex, egress.fd, 'native'))).toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('BPF_XDP_DEVMAP programs can not be attached to a device'),
    });
  });

  it('minds the MTU of a veth peer, unless the program takes fragments', () => {
    setLink(namespace, 'set', b.name, 'mtu', '9000');
    using plain = loadBuiltinProgram('pass', { plain: true });
    expect(refusal(() => attachXdp(a.ifindex, plain.fd, 'native'))).toMatchObject({
      kind: 'refused',
      errno: 34,
      message: expect.stringMatching(/peer MTU is too large/i),
      hint: expect.stringContaining(kernelHas('5.18') ? 'xdp.frags' : 'lower the MTU'),
    });
    if (kernelHas('5.18')) attachXdp(a.ifindex, pass.fd, 'native');
  });

  it('minds the number of queues of a veth', (context) => {
    needKernel(context, '5.15');
    const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-L', b.name, 'tx', '2']);
    tool(program, args);
    expect(refusal(() => attachXdp(a.ifindex, pass.fd, 'native'))).toMatchObject({
      errno: 28,
      message: expect.stringMatching(/number of rx queues/),
      hint: expect.stringContaining(`net features dev ${a.name}`),
    });
  });

  it('knows an interface that does not exist', () => {
    expect(refusal(() => attachXdp(999_999, pass.fd, 'native'))).toMatchObject({ kind: 'not-found' });
  });
});
