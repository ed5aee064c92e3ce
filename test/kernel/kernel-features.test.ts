import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';

import { openBuiltin } from '../../src/kernel/builtin-objects.ts';
import type { BackendName } from '../../src/tracing/backend.ts';
import { planBuiltin } from '../../src/tracing/builtin-programs.ts';
import { compileBpf } from '../support/clang.ts';
import { type CommandResult, PinFolder } from '../support/command.ts';
import { framesThrough, startSending } from '../support/frames.ts';
import { kernelHas } from '../support/kernel-has.ts';
import { needProgram } from '../support/need.ts';
import { type Arrivals, Router } from '../support/router.ts';
import { runHere } from '../support/run-here.ts';
import { fixtureName } from '../support/run-id.ts';
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

function router(): Router {
  const made = new Router();
  onTestFinished(() => made[Symbol.dispose]());
  return made;
}

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

/** One of each kind; tracing-drops.test.ts has all there are. */
const handful = [
  'map-miss',
  'target-no-xmit',
  'target-down',
  'egress-program-drop',
  'cpumap-program-drop',
  'xsk-unbound',
];
const losses = handful.map((code) =>
  Object.values(lossCases)
    .flat()
    .find((each) => each.code === code)!,
);
/** What `debug drops` says through a backend. */
function counts(via: BackendName): Feature {
  return {
    name: `lost frames are counted exactly, and told why, through ${via}`,
    async works(context) {
      if (via !== 'builtin') needProgram(context, via);
      using experiment = new Experiment();
      await experiment.run(losses, sendThrough, [via]);
      for (const each of losses) {
        const path = experiment.pathOf(each);
        const wanted = { code: each.code, count: lostIn(each, path), ...each.finding?.(path) };
        expect(experiment.findingsAbout(path, via)).toMatchObject([wanted]);
      }
      expect(experiment.resultOf(via)).toMatchObject({ undercount: [], end: { why: 'asked' } });
    },
  };
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
  ...(['builtin', 'bpftrace', 'perf'] as const).map(counts),
];

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
