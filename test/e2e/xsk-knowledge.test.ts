import { describe, expect, it } from 'vitest';

import { encodeInteger } from '../../src/domain/integer.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { BPF_ANY, BpfMap } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { openPin } from '../../src/kernel/pin.ts';
import { xdpctl } from '../support/command.ts';
import { inNamespace, tool } from '../support/tool.ts';
import { createWorld, setLink } from '../support/world.ts';
import { pairIn, ready } from '../support/xsk.ts';

const small = { frames: 8, frameSize: 2048, rxSize: 8, fillSize: 8, completionSize: 8 };

interface Value {
  readonly queue?: number;
  readonly state: string;
  readonly mode?: string;
  readonly ifindex?: number;
  readonly ifname?: string;
  readonly inode: number;
  readonly pid: number;
  readonly comm: string;
}

interface Entry {
  readonly formatted: { readonly key: number; readonly value: Value };
  readonly health?: { readonly problems: readonly string[] };
}

interface Row extends Value {
  readonly maps: readonly { readonly key: number }[];
  readonly problems: readonly string[];
}

/** What all say of a socket. */
function shared({ queue, state, mode, ifindex, ifname, inode, pid, comm }: Value): Value {
  return {
    state,
    inode,
    pid,
    comm,
    ...(queue !== undefined && { queue }),
    ...(mode !== undefined && { mode }),
    ...(ifindex !== undefined && { ifindex }),
    ...(ifname !== undefined && { ifname }),
  };
}

/** Sockets that are not bound where a redirect by queue needs them, at key 1 of the map of `a`. */
const strays: readonly { what: string; bindTo?: 'other' | 'deleted'; state: string; code: string }[] = [
  { what: 'bound to another device', bindTo: 'other', state: 'bound', code: 'xsk-wrong-queue' },
  { what: 'not bound', state: 'unbound', code: 'xsk-unbound' },
  { what: 'whose device has gone', bindTo: 'deleted', state: 'device-gone', code: 'xsk-unbound' },
];

describe('an xskmap', () => {
  it.each(strays)(
    'is described alike by map dump, redirect show and xsk show: beside a good socket one $what',
    async ({ bindTo, state, code }) => {
      using world = createWorld();
      const { a, b } = pairIn(world);
      const { namespace = '', name } = a;
      const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-L', name, 'rx', '2']);
      tool(program, args);
      const json = (...words: string[]): unknown => {
        const result = xdpctl(['-j', '--netns', namespace, ...words]);
        expect(result).toMatchObject({ status: 0, stderr: '' });
        return result.stdout === '' ? undefined : result.json();
      };
      const { maps } = json('redirect', 'attach', name, '--xsk') as { readonly maps: readonly { pinned: string }[] };
      const pin = maps[0]?.pinned ?? '';
      try {
        await using _owner = await ready(['--netns', namespace, 'xsk', 'bind', name, '--queue', '0', '--map', pin]);
        using targets = new BpfMap(openPin(pin).fd);
        using stray = inNetns(namespace, () => XskSocket.open(small));
        const spare = world.veth({ namespace }, { namespace });
        if (bindTo !== undefined) stray.bind((bindTo === 'other' ? b : spare.a).ifindex, 0, 'copy');
        targets.update(encodeInteger(1, 4), encodeInteger(stray.fd, 4), BPF_ANY);
        setLink(namespace, 'del', spare.a.name);

        const dumped = json('map', 'dump', 'pinned', pin) as Entry[];
        expect(dumped.map(({ formatted }) => formatted)).toMatchObject([
          { key: 0, value: { queue: 0, state: 'bound', mode: 'copy', ifname: name, comm: 'xdpctl' } },
          { key: 1, value: { state, pid: process.pid } },
        ]);

        const [path] = json('redirect', 'show', name) as { readonly maps: readonly { readonly entries: Entry[] }[] }[];
        const entries = path?.maps[0]?.entries ?? [];
        expect(entries.map(({ formatted }) => formatted)).toEqual(dumped.map(({ formatted }) => formatted));
        expect(entries.map(({ health }) => health?.problems)).toEqual([[], [code]]);

        const rows = json('xsk', 'show', 'pinned', pin) as Row[];
        for (const { formatted, health } of entries) {
          const row = rows.find((each) => each.maps.some(({ key }) => key === formatted.key));
          expect(row && shared(row)).toEqual(shared(formatted.value));
          expect(row?.problems).toEqual(health?.problems);
        }
      } finally {
        json('redirect', 'detach', name);
      }
    },
  );
});
