import { readdirSync } from 'node:fs';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { observedSchemas } from '../../src/cli/redirect/observed-schemas.ts';
import type { TrialReport } from '../../src/cli/redirect/trial-report.ts';
import { libbpf } from '../../src/ffi/libbpf.ts';
import { Fd } from '../../src/kernel/fd.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { attachXdp } from '../../src/kernel/xdp-attachment.ts';
import { createLossyPath, faultyObject, type LossyPath } from '../kernel/support/lossy-path.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { type CommandResult, startXdpctl, xdpctl } from '../support/command.ts';
import { countFrames, startSending } from '../support/frames.ts';
import { kernelHas, needKernel } from '../support/kernel-has.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { createPathWorld, type PathWorld } from '../support/path-world.ts';
import { runHere } from '../support/run-here.ts';
import { schemaProblems } from '../support/schema.ts';
import { counters, setGro, setLink } from '../support/world.ts';

/** In this process, because that is faster; what concerns the process itself is tested with the built command. */
function run(path: PathWorld, ...words: string[]): Promise<CommandResult> {
  return runHere('-j', '--netns', path.router, 'redirect', ...words);
}

/** The ledger, after a look at whether it is one: nothing is missing, and all drops have a code. */
async function tested(path: PathWorld, ...words: string[]): Promise<TrialReport> {
  const result = await run(path, 'test', path.ingress.name, '--transmit', ...words);
  expect(result).toMatchObject({ status: 0, stderr: '' });
  const report = result.json() as TrialReport;
  expect(schemaProblems(observedSchemas['test']!, report)).toEqual([]);
  const { sent, copies, delivered, passed, sent_back, dropped, findings, targets } = report;
  expect(delivered + passed + sent_back + dropped).toBe(sent + copies);
  expect(findings.reduce((sum, { count }) => sum + count, 0)).toBe(dropped);
  expect(targets.reduce((sum, target) => sum + target.delivered, 0)).toBe(delivered);
  return report;
}

/** A world whose ingress redirects, made by attach. */
async function attachedPath(...words: string[]): Promise<PathWorld> {
  const path = createPathWorld();
  onTestFinished(() => path[Symbol.dispose]());
  await attach(path, ...(words.length === 0 ? ['--to', path.egress.name] : words));
  return path;
}

async function attach(path: PathWorld, ...words: string[]): Promise<void> {
  expect(await run(path, 'attach', path.ingress.name, ...words)).toMatchObject({ status: 0 });
  onTestFinished(async () => {
    await run(path, 'detach', path.ingress.name);
  });
}

function foreignPath(program: string, object = faultyObject, mode?: 'xdpdrv' | 'xdpgeneric'): LossyPath {
  const path = createLossyPath(object, program, mode);
  onTestFinished(() => path[Symbol.dispose]());
  return path;
}

function refused(result: CommandResult): { readonly exit: number; readonly message: string; readonly hint?: string } {
  const [line] = result.jsonErrors();
  expect(result.stdout).toBe('');
  return (line as { error: { exit: number; message: string; hint?: string } }).error;
}

// Live frames. That an older kernel has none is told in kernel-features.test.ts.
beforeEach((context) => needKernel(context, '5.18'));

describe('redirect test of a path that works', () => {
  it.each([1, 32, 1000])('delivers %i frames, as many as the receiver and its device count', async (count) => {
    const path = await attachedPath();
    const before = kernelState();
    const { received } = counters(path.sink);
    await using receiver = await countFrames(path.sink, { count });
    const report = await tested(path, '--count', String(count));
    expect(report).toMatchObject({
      ifname: path.ingress.name,
      ifindex: path.ingress.ifindex,
      queue: 0,
      prog: { name: 'redirect' },
      size: 60,
      sent: count,
      copies: 0,
      delivered: count,
      targets: [{ to: { ifindex: path.egress.ifindex, ifname: path.egress.name }, delivered: count }],
      findings: [],
    });
    expect(await receiver.arrived()).toBe(count);
    expect(counters(path.sink).received - received).toBe(count);
    await expectNothingNew(before);
  });

  it('counts its own frames only, while others lose theirs', async () => {
    const path = await attachedPath();
    const sent = startSending(path.source, { count: 400, milliseconds: 1 });
    const report = await tested(path, '--count', '2000');
    await sent;
    expect(report).toMatchObject({ sent: 2000, delivered: 2000, dropped: 0 });
  });

  it('says it to people too', async () => {
    const path = await attachedPath();
    const result = xdpctl(['--netns', path.router, 'redirect', 'test', path.ingress.name, '--transmit', '--exit-code']);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toMatch(/^delivered +100 {2}\S+: 100$/m);
  });
});

describe('redirect test of a path that loses frames', () => {
  interface Case {
    readonly code: string;
    readonly breakIt: (path: PathWorld) => void | Promise<void>;
    readonly size?: number;
  }
  const cases: readonly Case[] = [
    { code: 'target-no-xmit', breakIt: ({ sink }) => setGro(sink, false) },
    { code: 'target-down', breakIt: ({ router, egress }) => setLink(router, 'set', egress.name, 'down') },
    { code: 'target-no-carrier', breakIt: ({ sink }) => setLink(sink.namespace, 'set', sink.name, 'down') },
    {
      code: 'frame-exceeds-mtu',
      breakIt: ({ router, egress }) => setLink(router, 'set', egress.name, 'mtu', '1000'),
      size: 1400,
    },
    { code: 'peer-mtu', breakIt: ({ sink }) => setLink(sink.namespace, 'set', sink.name, 'mtu', '1000'), size: 1400 },
    {
      code: 'map-miss',
      breakIt: async (path) => {
        const [{ maps } = { maps: [] }] = (await run(path, 'show')).json() as { maps: { id: number }[] }[];
        const key = String(path.ingress.ifindex);
        expect(xdpctl(['map', 'delete', 'id', String(maps[0]!.id), 'key', key]).status).toBe(0);
      },
    },
  ];

  it.each(cases)('$code: every frame, for certain', async ({ code, breakIt, size = 60 }) => {
    const path = await attachedPath();
    await breakIt(path);
    const report = await tested(path, '--count', '77', '--size', String(size));
    expect(report).toMatchObject({ sent: 77, delivered: 0, passed: 0, sent_back: 0, dropped: 77 });
    expect(report.findings).toMatchObject([{ code, certainty: 'certain', count: 77 }]);
    expect(report.findings[0]!.fix).toMatch(/^(ip|xdpctl|nsenter) /);
    const asserted = await run(path, 'test', path.ingress.name, '--transmit', '--exit-code', '--size', String(size));
    expect(asserted.status).toBe(10);
  });

  it('frame-exceeds-mtu only of frames that are too long', async () => {
    const path = await attachedPath();
    setLink(path.router, 'set', path.egress.name, 'mtu', '1000');
    expect(await tested(path, '--size', '1018')).toMatchObject({ delivered: 100, dropped: 0 });
    expect(await tested(path, '--size', '1019')).toMatchObject({
      delivered: 0,
      findings: [{ code: 'frame-exceeds-mtu' }],
    });
  });

  it('egress-program-drop for certain, because no driver has refused a frame', async () => {
    const path = createPathWorld();
    onTestFinished(() => path[Symbol.dispose]());
    await attach(path, '--to', path.egress.name, '--egress', 'builtin:drop');
    expect(await tested(path, '--count', '50')).toMatchObject({
      delivered: 0,
      dropped: 50,
      findings: [{ code: 'egress-program-drop', certainty: 'certain', count: 50 }],
    });
  });

  it.each([
    ['gives_up', 'program-aborted'],
    ['returns_42', 'unknown-action'],
    ['without_call', 'no-redirect-call'],
    ['nowhere', 'no-such-interface'],
    ['back', 'tx-hairpin-failed'],
  ])('of a program of others that %s', async (program, code) => {
    const path = foreignPath(program);
    expect(await tested(path, '--count', '40')).toMatchObject({
      delivered: 0,
      dropped: 40,
      findings: [{ code, count: 40 }],
    });
  });

  it('of an egress program of others that returns what is not allowed', async () => {
    const path = foreignPath('forward');
    path.setEntry('targets', 0, path.egress.ifindex, 'egress_back');
    expect(await tested(path, '--count', '40')).toMatchObject({
      findings: [{ code: 'egress-program-bad-action', certainty: 'certain', count: 40 }],
    });
  });
});

describe('redirect test of other ways', () => {
  it('sends back what the program sends back', async () => {
    const path = foreignPath('back');
    setGro(path.source, true);
    expect(await tested(path)).toMatchObject({ sent: 100, sent_back: 100, delivered: 0, dropped: 0, targets: [] });
  });

  it('takes a cpumap only where frames may go to the stack, and counts what its CPU passes on', async () => {
    const path = await attachedPath('--cpus', '0,1');
    const { exit, hint } = refused(await run(path, 'test', path.ingress.name, '--transmit'));
    expect({ exit, hint }).toEqual({ exit: 2, hint: expect.stringContaining('--allow-pass') as string });
    const report = await tested(path, '--allow-pass', '--count', '300');
    expect(report).toMatchObject({ sent: 300, delivered: 300, passed: 0, dropped: 0 });
    expect(report.targets).toMatchObject([{ delivered: 300 }]);
    expect([0, 1]).toContain(report.targets[0]!.cpu);
  });

  it('knows what the program in a cpumap entry drops', async () => {
    const path = foreignPath('to_cpu');
    path.setEntry('cpus', 0, 192, 'cpu_drop');
    expect(await tested(path, '--allow-pass', '--count', '60')).toMatchObject({
      delivered: 0,
      dropped: 60,
      findings: [{ code: 'cpumap-program-drop', certainty: 'certain', count: 60, cpu: 0 }],
    });
  });

  it('broadcasts only where it may, and names the members that get nothing', async () => {
    const path = createPathWorld();
    onTestFinished(() => path[Symbol.dispose]());
    const { world, router, egress } = path;
    const { a: second, b: far } = world.veth({ namespace: router }, { namespace: world.namespace(), gro: true });
    await attach(path, '--to', egress.name, '--to', second.name, '--broadcast');
    const { exit, message, hint } = refused(await run(path, 'test', path.ingress.name, '--transmit'));
    expect({ exit, message, hint }).toEqual({
      exit: 2,
      message: expect.stringContaining('broadcasts to all members') as string,
      hint: expect.stringContaining('--allow-broadcast') as string,
    });

    await using receiver = await countFrames(far, { count: 100 });
    const { received } = counters(far);
    expect(await tested(path, '--allow-broadcast')).toMatchObject({
      sent: 100,
      copies: 100,
      delivered: 200,
      dropped: 0,
    });
    // Before, what the kernel copies is garbled, and no frame of ours any more.
    expect(kernelHas('6.3') ? await receiver.arrived() : 100).toBe(100);
    expect(counters(far).received - received).toBe(100);

    setLink(router, 'set', second.name, 'down');
    expect(await tested(path, '--allow-broadcast')).toMatchObject({
      copies: 100,
      delivered: 100,
      dropped: 100,
      targets: [{ to: { ifname: egress.name } }],
      findings: [{ code: 'target-down', certainty: 'certain', count: 100, to: { ifname: second.name } }],
    });
    setLink(router, 'set', egress.name, 'down');
    expect(await tested(path, '--allow-broadcast')).toMatchObject({ delivered: 0, dropped: 200 });
  });

  it('does not guess whether a program of others broadcasts', async () => {
    const path = foreignPath('forward');
    path.setEntry('targets', 0, path.egress.ifindex);
    expect(await tested(path)).toMatchObject({ delivered: 100 });
    path.setEntry('targets', 1, path.ingress.ifindex);
    expect(refused(await run(path, 'test', path.ingress.name, '--transmit'))).toMatchObject({ exit: 2 });
    expect(await tested(path, '--allow-broadcast')).toMatchObject({ copies: 0, delivered: 100 });
  });

  it('passes frames to the stack only where it may', async () => {
    const foreign = foreignPath('pass', builtinPath('pass'));
    expect(refused(await run(foreign, 'test', foreign.ingress.name, '--transmit'))).toMatchObject({
      exit: 2,
      message: 'pass passes such frames',
    });
    expect(await tested(foreign, '--allow-pass', '--count', '64')).toMatchObject({
      passed: 64,
      delivered: 0,
      dropped: 0,
    });

    const own = await attachedPath('--xsk', '--on-miss', 'pass');
    expect(refused(await run(own, 'test', own.ingress.name, '--transmit'))).toMatchObject({ exit: 2 });
    expect(await tested(own, '--allow-pass', '--count', '64')).toMatchObject({ passed: 64, dropped: 0 });
  });

  it('stops where frames go to the stack that nobody foresaw', async () => {
    const path = createPathWorld();
    onTestFinished(() => path[Symbol.dispose]());
    using program = dropsThenPasses(40);
    inNetns(path.router, () => attachXdp(path.ingress.ifindex, program.number, 'native'));
    const result = await run(path, 'test', path.ingress.name, '--transmit', '--count', '1000');
    // The rehearsal is its first frame; frames are sent in bundles of 32.
    expect(result.json()).toMatchObject({
      sent: 64,
      passed: 26,
      dropped: 38,
      findings: [{ code: 'program-drop', certainty: 'certain', count: 38 }],
    });
    expect(result.jsonErrors()).toMatchObject([
      {
        warning: {
          message: expect.stringContaining('stopped after 64 frames') as string,
          hint: expect.stringContaining('--allow-pass') as string,
        },
      },
    ]);
  });

  it('delivers to an AF_XDP socket, and tells why not', async () => {
    const path = await attachedPath('--xsk', '--on-miss', 'drop');
    expect(await tested(path, '--count', '10')).toMatchObject({
      dropped: 10,
      findings: [{ code: 'map-miss', key: 0 }],
    });
    const [shown] = (await run(path, 'show')).json() as { maps: { pinned: string[] }[] }[];
    const bind = [
      '--netns',
      path.router,
      'xsk',
      'bind',
      path.ingress.name,
      '--queue',
      '0',
      '--map',
      shown!.maps[0]!.pinned[0]!,
    ];
    await using application = startXdpctl(['-j', ...bind]);
    await application.ready();
    expect(await tested(path, '--count', '500')).toMatchObject({
      delivered: 500,
      targets: [{ key: 0, delivered: 500 }],
    });
    const { stdout } = await application.stop();
    expect(JSON.parse(stdout)).toMatchObject({ frames: 500 });
  });
});

describe('redirect test refuses', () => {
  it('to send without being told so', async () => {
    const path = await attachedPath();
    const before = kernelState();
    const { received } = counters(path.sink);
    expect(refused(await run(path, 'test', path.ingress.name))).toMatchObject({
      exit: 2,
      message: expect.stringContaining('really sends') as string,
    });
    const dry = await run(path, 'test', path.ingress.name, '--dry-run');
    expect(dry.json()).toMatchObject({ dry_run: true, would: [expect.stringContaining('100 frames of 60 bytes')] });
    expect(counters(path.sink).received).toBe(received);
    await expectNothingNew(before);
  });

  it('generic mode', async () => {
    const path = await attachedPath('--mode', 'generic', '--to', 'lo');
    expect(refused(await run(path, 'test', path.ingress.name, '--transmit'))).toMatchObject({
      exit: 5,
      message: expect.stringContaining('generic mode, which cannot be tested') as string,
    });
  });

  it('what makes no sense', async () => {
    const path = await attachedPath();
    const { ingress } = path;
    const exitOf = async (...words: string[]): Promise<number> => refused(await run(path, 'test', ...words)).exit;
    expect(await exitOf('nothere', '--transmit')).toBe(3);
    expect(await exitOf(path.egress.name, '--transmit')).toBe(3);
    expect(await exitOf(ingress.name, '--transmit', '--count', '0')).toBe(2);
    expect(await exitOf(ingress.name, '--transmit', '--size', '59')).toBe(2);
    expect(await exitOf(ingress.name, '--transmit', '--size', '3401')).toBe(2);
    expect(await exitOf(ingress.name, '--transmit', '--size', '1519')).toBe(2);
    expect(await exitOf(ingress.name, '--transmit', 'more')).toBe(2);
    setLink(path.router, 'set', ingress.name, 'down');
    expect(refused(await run(path, 'test', ingress.name, '--transmit'))).toMatchObject({
      exit: 1,
      hint: `ip netns exec ${path.router} ip link set dev ${ingress.name} up`,
    });
  });
});

/** struct bpf_insn (linux/bpf.h). */
function instruction(code: number, to: number, from: number, offset: number, value: number): number[] {
  const [offsetBytes, valueBytes] = [Int16Array.of(offset), Int32Array.of(value)].map(
    ({ buffer }) => new Uint8Array(buffer),
  );
  return [code, to | (from << 4), ...offsetBytes!, ...valueBytes!];
}

/** A program that drops its first frames, and passes those from the nth on. */
function dropsThenPasses(nth: number): Fd {
  using counter = BpfMap.create({ type: 2, name: 'frames', keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 });
  const [r0, r1, r2, r10] = [0, 1, 2, 10];
  const instructions = Uint8Array.from(
    [
      instruction(0x62, r10, 0, -4, 0), // *(u32 *)(r10 - 4) = 0
      instruction(0xbf, r2, r10, 0, 0), // r2 = r10
      instruction(0x07, r2, 0, 0, -4), // r2 += -4
      instruction(0x18, r1, 1, 0, counter.fd), // r1 = the map
      instruction(0, 0, 0, 0, 0),
      instruction(0x85, 0, 0, 0, 1), // r0 = bpf_map_lookup_elem(r1, r2)
      instruction(0x55, r0, 0, 2, 0), // if r0 != 0 go past the next two
      instruction(0xb7, r0, 0, 0, 1), // r0 = XDP_DROP
      instruction(0x95, 0, 0, 0, 0), // exit
      instruction(0x79, r1, r0, 0, 0), // r1 = *(u64 *)r0
      instruction(0x07, r1, 0, 0, 1), // r1 += 1
      instruction(0x7b, r0, r1, 0, 0), // *(u64 *)r0 = r1
      instruction(0xb7, r0, 0, 0, 1), // r0 = XDP_DROP
      instruction(0xa5, r1, 0, 1, nth), // if r1 < nth go past the next one
      instruction(0xb7, r0, 0, 0, 2), // r0 = XDP_PASS
      instruction(0x95, 0, 0, 0, 0), // exit
    ].flat(),
  );
  return new Fd(libbpf.bpf_prog_load(6, 'changes', 'GPL', instructions, instructions.length / 8, null));
}

async function untilArriving({ sink }: PathWorld): Promise<void> {
  await expect.poll(() => counters(sink).received, { timeout: 60_000, interval: 20 }).toBeGreaterThan(200);
}

describe('redirect test that is stopped', () => {
  const long = ['redirect', 'test', '--transmit', '--count', '1000000'];

  it('by a signal says how far it came, and leaves nothing', async () => {
    const path = await attachedPath();
    const before = kernelState();
    await using command = startXdpctl(['--netns', path.router, ...long, path.ingress.name]);
    await untilArriving(path);
    const { signal, stderr } = await command.stop('SIGINT');
    expect(signal).toBe('SIGINT');
    expect(stderr).toMatch(/interrupted after \d+ of 1000000 frames/);
    await expectNothingNew(before);
  });

  it('by a kill leaves a trace instance, which the next one removes', async () => {
    const path = await attachedPath();
    const before = kernelState();
    await using command = startXdpctl(['--netns', path.router, ...long, path.ingress.name]);
    await untilArriving(path);
    const { pid } = command.child;
    await command.stop('SIGKILL');
    expect(readdirSync('/sys/kernel/tracing/instances')).toContainEqual(expect.stringContaining(`xdpctl_${pid}_`));
    expect(await tested(path)).toMatchObject({ delivered: 100 });
    await expectNothingNew(before);
  });
});
