import { readdirSync } from 'node:fs';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { inNetns } from '../../src/kernel/netns.ts';
import { BpfProgram } from '../../src/kernel/program.ts';
import { XdpLink } from '../../src/kernel/xdp-link.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { type CommandResult, PinFolder } from '../support/command.ts';
import { needKernel } from '../support/kernel-has.ts';
import { runHere } from '../support/run-here.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { typed as typeIn } from '../support/typed.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let namespace: string;
let ifindex: number;
let pins: PinFolder;

beforeAll(() => {
  world = createWorld();
  namespace = world.namespace();
  const other = world.namespace();
  ifindex = world.veth({ namespace, name: 'near0' }, { namespace: other, name: 'far0' }).a.ifindex;
});

beforeEach(() => {
  pins = new PinFolder();
  for (const name of ['pass', 'egress_devmap', 'redirect_devmap']) {
    tool('bpftool', ['prog', 'load', builtinPath(name), pins.pin(name)]);
  }
});

afterEach(() => {
  for (const mode of ['xdpdrv', 'xdpgeneric']) tool('ip', ['-n', namespace, 'link', 'set', 'near0', mode, 'off']);
  pins[Symbol.dispose]();
});
afterAll(() => world[Symbol.dispose]());

/** Runs a command in the namespace; `@` is the folder of pins. */
function typed(command: string): Promise<CommandResult> {
  return runHere('--netns', namespace, ...command.replaceAll('@', pins.path).split(' '));
}

interface IpLink {
  readonly xdp?: { readonly mode: number; readonly prog: { readonly id: number }; readonly attached?: object[] };
}

/** What ip says is attached. */
function judged(): IpLink['xdp'] {
  const [link] = toolJson('ip', ['-n', namespace, '-j', 'link', 'show', 'dev', 'near0']) as [IpLink];
  return link.xdp;
}

/** What `bpftool net show` says. */
function bpftoolNet(): { xdp: object[] } {
  const [program = '', ...args] = inNamespace(namespace, ['bpftool', '-j', 'net', 'show']);
  const [shown] = toolJson(program, args) as [{ xdp: object[] }];
  return shown;
}

function idOf(pin: string): number {
  return (toolJson('bpftool', ['-j', 'prog', 'show', 'pinned', pins.pin(pin)]) as { id: number }).id;
}

async function expectRefusal(command: string, exit: number, says: string | RegExp): Promise<void> {
  const before = [judged(), readdirSync(pins.path)];
  const plain = await typed(command);
  expect({ status: plain.status, stdout: plain.stdout }).toEqual({ status: exit, stdout: '' });
  expect(plain.stderr).toMatch(says);
  expect(plain.stderr).toMatch(/^error: [^\n]*\n(hint: [^\n]*\n)?$/);
  const json = await typed(`-j ${command}`);
  expect({ status: json.status, stdout: json.stdout }).toEqual({ status: exit, stdout: '' });
  expect(json.jsonErrors()).toMatchObject([{ error: { exit } }]);
  expect([judged(), readdirSync(pins.path)]).toEqual(before);
}

/** Attaches a program by a link, which holds it until the result is disposed of. */
function linked(): XdpLink {
  using program = BpfProgram.byId(idOf('pass'));
  return inNetns(namespace, () => XdpLink.create(ifindex, program.fd, 'native'));
}

describe('net attach and detach', () => {
  it.each([
    ['xdpdrv', 1, 'driver'],
    ['xdpgeneric', 2, 'generic'],
    ['xdp', 1, 'driver'],
  ])('%s is what ip and bpftool see', async (type, mode, word) => {
    expect(await typed(`net attach ${type} pinned @/pass dev near0`)).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(judged()).toMatchObject({ mode, prog: { id: idOf('pass') } });
    const [shown] = (await typed('-j net show')).json() as [{ xdp: object[] }];
    expect(shown).toMatchObject(bpftoolNet());
    expect(shown.xdp).toMatchObject([{ devname: 'near0', ifindex, mode: word, id: idOf('pass'), name: 'pass' }]);
    expect(await typed(`net detach ${type} dev near0`)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(judged()).toBeUndefined();
  });

  it('overwrites only when asked', async () => {
    await typed('net attach xdpdrv @/pass dev near0');
    await expectRefusal('net attach xdpdrv @/redirect_devmap dev near0', 6, /already attached.*\nhint: add overwrite/);
    expect(await typed('net attach xdpdrv @/redirect_devmap dev near0 overwrite')).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(judged()).toMatchObject({ prog: { id: idOf('redirect_devmap') } });
    const [{ xdp }] = (await typed('-j net show dev near0')).json() as [{ xdp: { map_ids: number[] }[] }];
    const { map_ids: mapIds } = toolJson('bpftool', ['-j', 'prog', 'show', 'pinned', pins.pin('redirect_devmap')]) as {
      map_ids: number[];
    };
    expect(xdp[0]?.map_ids).toEqual(mapIds);
  });

  it('takes off whatever is there with xdp', async () => {
    await typed('net attach xdpgeneric @/pass dev near0');
    expect(await typed('net detach xdp dev near0')).toMatchObject({ status: 0, stderr: '' });
    expect(judged()).toBeUndefined();
  });

  it('never leaves a program attached silently', async () => {
    await expectRefusal('net detach xdpdrv dev near0', 3, 'near0 has no program in native mode');
    await typed('net attach xdpdrv @/pass dev near0');
    await expectRefusal(
      'net detach xdpgeneric dev near0',
      3,
      /no program in generic mode, but program \d+ \(pass\) in native mode\nhint: .*xdpctl --netns \S+ net detach xdpdrv dev near0/,
    );
    await typed('net detach xdpdrv dev near0');
    await expectRefusal('net detach xdp dev near0', 3, 'near0 has no program');
  });

  it('passes the words of the kernel on', async () => {
    await typed('net attach xdpdrv @/pass dev near0');
    await expectRefusal(
      'net attach xdpgeneric @/pass dev near0',
      6,
      /native and generic XDP can't be active at the same time.*\nhint: .*xdpctl --netns \S+ net detach xdpdrv dev near0/,
    );
    await expectRefusal(
      'net attach xdpdrv @/pass dev lo',
      5,
      /lo .*driver does not support XDP in native mode.*\nhint: use xdpgeneric/,
    );
    await expectRefusal(
      'net attach xdpdrv @/egress_devmap dev near0 overwrite',
      2,
      'BPF_XDP_DEVMAP programs can not be attached',
    );
  });

  it('warns where xdp means generic mode', async () => {
    try {
      const { status, stderr } = await typed('net attach xdp @/pass dev lo');
      expect(status).toBe(0);
      expect(stderr).toMatch(/^warning: lo runs the program in generic mode/);
    } finally {
      await typed('net detach xdp dev lo');
    }
  });

  it('name the link that holds a program', async () => {
    {
      using link = linked();
      const [{ xdp }] = (await typed('-j net show dev near0')).json() as [{ xdp: object[] }];
      expect(xdp).toMatchObject([{ link_id: link.info.id }]);
      const hint = new RegExp(`hint: take it off.*: xdpctl --netns ${namespace} link detach id ${link.info.id}\n`);
      await expectRefusal('net attach xdpdrv @/pass dev near0 overwrite', 6, hint);
      await expectRefusal('net detach xdpdrv dev near0', 6, hint);
    }
    await expect.poll(() => judged()).toBeUndefined();
  });

  it('say under --dry-run what they would do', async () => {
    const pass = idOf('pass');
    expect((await typed('net attach xdpdrv @/pass dev near0 --dry-run')).stdout).toBe(
      `would attach xdp program ${pass} (pass) to near0 in native mode\n`,
    );
    await typed('net attach xdpdrv @/pass dev near0');
    await expectRefusal('net attach xdpdrv @/pass dev near0 --dry-run', 6, 'is on near0 already');
    await expectRefusal('net attach xdpgeneric @/pass dev near0 --dry-run', 6, 'exclude each other');
    expect((await typed('net attach xdpdrv @/pass dev near0 overwrite --dry-run')).stdout).toMatch(/in the place of/);
    expect((await typed('net detach xdpdrv dev near0 --dry-run')).stdout).toBe(
      `would detach program ${pass} (pass) in native mode from near0\n`,
    );
    expect(judged()).toMatchObject({ prog: { id: pass } });
  });

  it.each([
    ['attach xdpdrv @/pass dev near0 overwrite extra', 2, "unexpected word 'extra'"],
    ['attach xdpdrv @/pass dev near0 over', 2, "unexpected word 'over'"],
    ['attach tcx_ingress @/pass dev near0', 2, "'tcx_ingress' is no type of XDP attachment"],
    ['attach xdpdrv @/pass near0', 2, "expected 'dev', not 'near0'"],
    ['attach xdpdrv @/pass dev none0', 3, "there is no interface 'none0'"],
    ['attach xdpdrv @/none dev near0', 3, 'there is no pin'],
    ['attach xdpoffload @/pass dev near0', 5, 'cannot run XDP programs in offload mode'],
    ['detach xdpdrv dev near0 now', 2, "unexpected word 'now'"],
    ['detach xdpdrv dev none0', 3, "there is no interface 'none0'"],
    ['show dev near0 now', 2, "unexpected word 'now'"],
    ['show near0', 2, "expected 'dev', not 'near0'"],
  ])('%s is refused', (words, exit, says) => expectRefusal(`net ${words}`, exit, says));
});

describe('a veth with fewer queues than its peer', () => {
  it('is refused with the command that tells what mends it', async (context) => {
    needKernel(context, '5.15');
    using narrow = createWorld();
    const [here, there] = [narrow.namespace(), narrow.namespace()];
    const { a, b } = narrow.veth({ namespace: here }, { namespace: there });
    const [program = '', ...args] = inNamespace(there, ['ethtool', '-L', b.name, 'tx', '2']);
    tool(program, args);
    const attach = () => runHere('-j', '--netns', here, 'net', 'attach', 'xdpdrv', 'builtin', 'pass', 'dev', a.name);
    const refused = await attach();
    const hint = `see what mends it: xdpctl --netns ${here} net features dev ${a.name}`;
    expect(refused.jsonErrors()).toMatchObject([{ error: { exit: 1, errnoName: 'ENOSPC', hint } }]);
    const features = await runHere('-j', '--netns', here, 'net', 'features', 'dev', a.name);
    const { advice } = features.json() as { advice: { feature: string; fix: string }[] };
    typeIn(advice.find(({ feature }) => feature === 'basic')!.fix);
    expect(await attach()).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('net show', () => {
  it('keeps the shape of bpftool where there is nothing', async () => {
    expect((await typed('-j net show')).json()).toEqual([{ xdp: [], tc: [], flow_dissector: [], netfilter: [] }]);
    expect((await typed('net show')).stdout).toBe('0 programs\n');
  });
});

describe('net features', () => {
  it('is what the kernel says of each interface', async (context) => {
    needKernel(context, '6.3');
    const rows = (await typed('-j net features')).json() as { ifname: string }[];
    const [program = '', ...args] = inNamespace(namespace, ['ip', '-j', 'link']);
    const judge = toolJson(program, args) as { ifname: string }[];
    expect(rows.map(({ ifname }) => ifname).toSorted()).toEqual(judge.map(({ ifname }) => ifname).toSorted());
    const one = (await typed('-j net features dev near0')).json();
    expect(one).toEqual(rows.find(({ ifname }) => ifname === 'near0'));
    expect(one).toMatchObject({ ifindex, kind: 'veth', basic: true, redirect: true, rx_queues: 1, tx_queues: 1 });
  });

  it('tells what mends a "no", and that does', async (context) => {
    needKernel(context, '5.13');
    const before = (await typed('-j net features dev near0')).json() as {
      advice: { feature: string; reason: string; fix?: string }[];
    };
    expect(before).toMatchObject({ ndo_xmit: false });
    const advice = before.advice.find(({ feature }) => feature === 'ndo_xmit');
    expect(advice?.reason).toMatch(/its peer far0 .* has neither GRO on nor an XDP program/);
    tool('sh', ['-c', advice?.fix ?? 'false']);
    try {
      expect((await typed('-j net features dev near0')).json()).toMatchObject({ ndo_xmit: true });
      expect((await typed('net features dev near0')).stdout).toMatch(/^ndo_xmit +yes$/m);
    } finally {
      tool('sh', ['-c', (advice?.fix ?? 'false').replace('gro on', 'gro off')]);
    }
  });

  it('has no command where nothing mends it', async () => {
    const { advice } = (await typed('-j net features dev lo')).json() as {
      advice: { feature: string; fix?: string }[];
    };
    expect(advice.find(({ feature }) => feature === 'ndo_xmit')).not.toHaveProperty('fix');
  });

  it.each([
    ['dev none0', 3, "there is no interface 'none0'"],
    ['dev near0 now', 2, "unexpected word 'now'"],
    ['near0', 2, "expected 'dev', not 'near0'"],
  ])('%s is refused', (words, exit, says) => expectRefusal(`net features ${words}`, exit, says));
});
