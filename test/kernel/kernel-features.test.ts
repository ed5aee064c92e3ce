import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, describe, expect, it, onTestFinished, type TestContext } from 'vitest';

import { openBuiltin } from '../../src/kernel/builtin-objects.ts';
import { planBuiltin } from '../../src/tracing/builtin-programs.ts';
import { BTF_INT_SIGNED, BtfBuilder } from '../support/btf-builder.ts';
import { createBtfMap } from '../support/btf-map.ts';
import { compileBpf } from '../support/clang.ts';
import { type CommandResult, PinFolder, startXdpctl, xdpctl } from '../support/command.ts';
import { framesThrough, sendFrames, startSending } from '../support/frames.ts';
import { kernelHas } from '../support/kernel-has.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { needProgram } from '../support/need.ts';
import { type Arrivals, Router } from '../support/router.ts';
import { runHere } from '../support/run-here.ts';
import { fixtureName } from '../support/run-id.ts';
import { setLink } from '../support/world.ts';
import { Experiment } from './support/experiment.ts';
import { lostIn, sendThrough } from './support/loss-case.ts';
import { lossCases } from './support/loss-cases.ts';

/*
 * What the tool does on which kernel: the table of the README is made of the names of these tests (test/vm/table.mjs). Each
 * is done on real frames; where the kernel lacks what it takes, the tool must say so.
 */

interface Feature {
  readonly name: string;
  /** The first kernel that has what it takes. */
  readonly since?: string;
  works(context: TestContext): Promise<void> | void;
  /** What happens on an older kernel, if it is not refused, and its look. */
  readonly otherwise?: { readonly how: string; looks(context: TestContext): Promise<void> | void };
  /** What is refused on an older kernel. */
  refused?(context: TestContext): Promise<CommandResult>;
}

let shared: Router | undefined;

/** The one router of all tests, which leave it as it was. */
function router(): Router {
  shared ??= new Router();
  return shared;
}

afterAll(() => shared?.[Symbol.dispose]());

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await shared?.clear();
});

function pinFolder(): PinFolder {
  const pins = new PinFolder();
  onTestFinished(() => pins[Symbol.dispose]());
  return pins;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), fixtureName()));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Attaches a redirect to the router's interface a, sends frames to it, and counts what arrives where. */
async function redirects(words: (made: Router) => readonly string[], expected: Arrivals): Promise<void> {
  const made = router();
  await made.done('attach', made.a.name, ...words(made));
  const frames = Math.max(...Object.values(expected));
  expect(await made.arrivals(expected, { count: frames, dst: made.a.mac })).toEqual(expected);
  await made.done('detach', made.a.name);
}

/** The same where the frames end in the stack of the router. */
async function redirectsToCpus(...words: readonly string[]): Promise<void> {
  const made = router();
  await made.done('attach', made.a.name, ...words);
  expect(await framesThrough(made.left, made.a, { count: 30 })).toBe(30);
  await made.done('detach', made.a.name);
}

async function attachRefused(words: (made: Router) => readonly string[]): Promise<CommandResult> {
  const made = router();
  const result = await made.redirect('attach', made.a.name, ...words(made));
  expect(made.attached(made.a.name)).toBeUndefined();
  return result;
}

/** An object with a program that is aware of fragments. */
function fragmentsObject(context: TestContext): string {
  needProgram(context, 'clang-14');
  const source = 'SEC("xdp.frags") int aware(struct xdp_md *ctx) { return XDP_PASS; }';
  return compileBpf(temporaryFolder(), 'aware', source);
}

const to = ({ b }: Router): string[] => ['--to', b.name];
const toBoth = ({ b, c }: Router): string[] => ['--to', b.name, '--to', c.name, '--broadcast'];
const genericCpus = ['--cpus', '0', '--mode', 'generic'];

/** Those whose signals are not the same on every kernel; tracing-drops.test.ts has all there are. */
const handful = ['no-redirect-call', 'target-no-xmit', 'egress-program-drop', 'xsk-unbound'];
const losses = handful.map((code) =>
  Object.values(lossCases)
    .flat()
    .find((each) => each.code === code)!,
);
/** What `debug drops` says through its own programs; tracing-drops.test.ts has the other tracers. */
async function countsLosses(): Promise<void> {
  using experiment = new Experiment();
  await experiment.run(losses, sendThrough, ['builtin']);
  for (const each of losses) {
    const path = experiment.pathOf(each);
    const wanted = { code: each.code, count: lostIn(each, path), ...each.finding?.(path) };
    expect(experiment.findingsAbout(path, 'builtin')).toMatchObject([wanted]);
  }
  expect(experiment.resultOf('builtin')).toMatchObject({ undercount: [], end: { why: 'asked' } });
}

const features: readonly Feature[] = [
  {
    name: 'every BPF program of the tool that the kernel has events for loads',
    works() {
      const files = readdirSync(join(import.meta.dirname, '..', '..', 'bpf-objects'));
      for (const file of files.filter((each) => each.endsWith('.bpf.o'))) {
        using object = openBuiltin(file.replace('.bpf.o', ''));
        const wanted = file.startsWith('losses.') ? planBuiltin(true)?.programs : undefined;
        for (const program of object.programs) program.setAutoload(wanted?.includes(program.name) ?? true);
        object.load();
      }
    },
  },
  {
    name: 'the four kinds of redirect maps',
    async works() {
      const pins = pinFolder();
      for (const [type, entry] of [
        ['devmap', 'lo'],
        ['devmap_hash', 'lo'],
        ['cpumap', 'cpu=0,qsize=64'],
        ['xskmap', undefined],
      ] as const) {
        const pin = pins.pin(type);
        expect(await runHere('map', 'create', pin, 'type', type, 'entries', '2')).toMatchObject({ status: 0 });
        if (entry !== undefined) {
          const value = type === 'cpumap' ? ['64'] : ['dev', 'lo'];
          expect(await runHere('map', 'update', pin, 'key', '0', 'value', ...value)).toMatchObject({ status: 0 });
        }
        const dump = await runHere('-j', 'map', 'dump', pin);
        expect(dump).toMatchObject({ status: 0, stderr: '' });
        expect(dump.json()).toHaveLength(entry === undefined ? 0 : 1);
      }
    },
  },
  {
    name: 'entries of maps with types (BTF) are shown by the names of their members',
    async works() {
      const builder = new BtfBuilder();
      const keyType = builder.int('int', 4, BTF_INT_SIGNED);
      const valueType = builder.struct('route', 8, [
        { name: 'device', type: keyType, bitOffset: 0 },
        { name: 'weight', type: keyType, bitOffset: 32 },
      ]);
      const sizes = { keySize: 4, valueSize: 8, maxEntries: 1 };
      using map = createBtfMap({ btf: builder.bytes(), keyType, valueType, ...sizes });
      map.update(new Uint8Array(Int32Array.of(1).buffer), new Uint8Array(Int32Array.of(2, 7).buffer), 0);
      const dump = await runHere('-j', 'map', 'dump', 'id', String(map.info.id));
      expect(dump.json()).toMatchObject([{ formatted: { key: 1, value: { device: 2, weight: 7 } } }]);
    },
  },
  { name: 'redirect to an interface', works: () => redirects(to, { right: 30 }) },
  {
    name: 'redirect to an interface, generic mode',
    works: () => redirects((made) => [...to(made), '--mode', 'generic'], { right: 30 }),
  },
  {
    name: 'a program in the entry, which rewrites MAC addresses',
    works: () => redirects((made) => [...to(made), '--dst-mac', made.right.mac], { right: 30 }),
  },
  { name: 'attached by a link', works: () => redirects((made) => [...to(made), '--link'], { right: 30 }) },
  {
    name: 'redirect to other CPUs, with a program there',
    works: () => redirectsToCpus('--cpus', '0-1', '--prog', 'builtin:pass'),
  },
  {
    name: 'redirect to all entries (broadcast)',
    since: '5.14',
    works: () => redirects(toBoth, { right: 30, other: 30 }),
    refused: () => attachRefused(toBoth),
  },
  {
    name: 'redirect to other CPUs, generic mode',
    since: '5.15',
    works: () => redirectsToCpus(...genericCpus),
    refused: () => attachRefused(() => genericCpus),
  },
  {
    name: 'AF_XDP sockets: `xsk bind` takes what comes',
    async works() {
      const { a, left, netns } = router();
      const bound = runHere(
        '-j',
        '--netns',
        netns,
        'xsk',
        'bind',
        a.name,
        ...'--queue 0 --attach --count 20'.split(' '),
      );
      const command = { ended: false };
      const end = bound.finally(() => (command.ended = true));
      while (!command.ended) await startSending(left, { count: 20, milliseconds: 1 });
      expect((await end).json()).toMatchObject({ frames: 20, losses: [] });
    },
  },
  {
    name: 'programs that take frames of several buffers (xdp.frags)',
    since: '5.18',
    async works(context) {
      const words = ['prog', 'load', fragmentsObject(context), pinFolder().pin('aware')];
      expect(await runHere(...words)).toMatchObject({ status: 0, stderr: '' });
    },
    refused: (context) => runHere('-j', 'prog', 'load', fragmentsObject(context), pinFolder().pin('aware')),
  },
  {
    name: '`prog run` with ifindex and queue (ctx_in)',
    since: '5.15',
    works: async () => expect(await runWithContext()).toMatchObject({ status: 0, stderr: '' }),
    refused: runWithContext,
  },
  {
    name: '`redirect test`: frames sent and accounted for',
    since: '5.18',
    async works() {
      const made = router();
      await made.done('attach', made.a.name, ...to(made));
      const ledger = await made.done('test', made.a.name, '--transmit', '--count', '40');
      expect(ledger).toMatchObject({ sent: 40, delivered: 40, dropped: 0 });
      await made.done('detach', made.a.name);
    },
    async refused() {
      const made = router();
      await made.done('attach', made.a.name, ...to(made));
      const result = await made.redirect('test', made.a.name, '--transmit');
      await made.done('detach', made.a.name);
      return result;
    },
  },
  {
    name: '`net features`: what the kernel says of a driver',
    since: '6.3',
    works: async () =>
      expect(await featuresOfTarget()).toMatchObject({ ndo_xmit: true, ndo_xmit_sg: true, redirect: true }),
    otherwise: {
      how: 'NDO_XMIT alone, by the kind of the device',
      async looks() {
        const known = await featuresOfTarget();
        expect(known).toMatchObject({ ndo_xmit: true });
        expect(known).not.toHaveProperty('redirect');
      },
    },
  },
  { name: '`debug drops`: lost frames are counted exactly, and told why', works: countsLosses },
  { name: 'the built command, from `map create` to `redirect detach`, leaves nothing', works: builtCommand },
];

/** What the others do in this process, once as users do it. */
async function builtCommand(): Promise<void> {
  const before = kernelState();
  {
    using pins = new PinFolder();
    using made = new Router();
    const { a, b, left, netns } = made;
    const done = (...words: readonly string[]): CommandResult => {
      const result = xdpctl(['-j', '--netns', netns, ...words]);
      expect(result).toMatchObject({ status: 0, stderr: '' });
      return result;
    };
    const pin = pins.pin('map');
    done('map', 'create', pin, 'type', 'devmap', 'entries', '2');
    done('map', 'update', pin, 'key', '1', 'value', 'dev', b.name);
    const entry = { formatted: { key: 1, value: { ifindex: b.ifindex, ifname: b.name } } };
    expect(done('map', 'lookup', pin, 'key', '1').json()).toMatchObject(entry);
    done('redirect', 'attach', a.name, '--to', b.name);
    expect(await made.arrivals({ right: 12 }, { count: 12 })).toEqual({ right: 12 });
    await using drops = startXdpctl(['-j', '--netns', netns, 'debug', 'drops', a.name]);
    await drops.ready();
    setLink(netns, 'set', b.name, 'down');
    sendFrames(left, { count: 9 });
    expect((await drops.stop()).json()).toMatchObject({ findings: [{ code: 'target-down', count: 9 }] });
    done('redirect', 'detach', a.name);
    expect(made.attached(a.name)).toBeUndefined();
  }
  await expectNothingNew(before);
}

async function runWithContext(): Promise<CommandResult> {
  const folder = temporaryFolder();
  const context = new Uint8Array(24);
  // data_end, and the ifindex of lo.
  new DataView(context.buffer).setUint32(4, 64, true);
  new DataView(context.buffer).setUint32(12, 1, true);
  writeFileSync(join(folder, 'context'), context);
  writeFileSync(join(folder, 'frame'), new Uint8Array(64));
  const files = ['data_in', join(folder, 'frame'), 'ctx_in', join(folder, 'context')];
  return runHere('-j', 'prog', 'run', 'builtin', 'pass', ...files);
}

async function featuresOfTarget(): Promise<unknown> {
  const { netns, b } = router();
  const result = await runHere('-j', '--netns', netns, 'net', 'features', 'dev', b.name);
  expect(result).toMatchObject({ status: 0 });
  return result.json();
}

describe('features of the kernel', () => {
  it.for(features.map((feature) => [titleOf(feature), feature] as const))('%s', async ([, feature], context) => {
    if (isThere(feature)) return feature.works(context);
    if (feature.otherwise !== undefined) return feature.otherwise.looks(context);
    const result = await feature.refused!(context);
    expect(result).toMatchObject({ status: 5, stdout: '' });
    expect(result.stderr).toContain(`Linux ${feature.since} is required`);
  });
});

function isThere({ since }: Feature): boolean {
  return since === undefined || kernelHas(since);
}

/** The name of the row, and what stands in the kernel's column. */
function titleOf(feature: Feature): string {
  if (isThere(feature)) return `${feature.name}: yes`;
  return `${feature.name}: ${feature.otherwise?.how ?? `exit 5, Linux ${feature.since} is required`}`;
}
