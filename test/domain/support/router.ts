import type { LiveDevice, LiveMap, LiveNetns, LiveProgram, LiveSystem } from '../../../src/domain/live-system.ts';

/*
 * The system that the recorded counters come from: s0 (netns S) – r0, r1 – d0 (netns D), with XDP programs on r0, seen
 * from the router's own namespace.
 */

export const netns: Readonly<Record<'router' | 's' | 'd', LiveNetns>> = {
  router: { inode: 1, current: true },
  s: { inode: 2, name: 'S', current: false },
  d: { inode: 3, name: 'D', current: false },
};

export const r0: LiveDevice = {
  ifindex: 20_101,
  ifname: 'r0',
  netns: netns.router,
  up: true,
  carrier: true,
  mtu: 1500,
  kind: 'veth',
  peer: { ifindex: 20_100, ifname: 's0', netns: netns.s, up: true, mtu: 1500, gro: false, hasXdp: false },
  ndoXmit: 'no',
  ndoXmitSg: 'no',
  progIds: [116],
  xdpMode: 'native',
  rxQueues: 1,
  txQueues: 1,
};

export const r1: LiveDevice = {
  ...r0,
  ifindex: 20_102,
  ifname: 'r1',
  peer: { ifindex: 20_103, ifname: 'd0', netns: netns.d, up: true, mtu: 1500, gro: false, hasXdp: false },
  progIds: [],
};

/** A device with rings of its own: hardware has no kind. */
export const nic: LiveDevice = {
  ifindex: 4,
  ifname: 'enp1s0',
  netns: netns.router,
  up: true,
  carrier: true,
  mtu: 1500,
  ndoXmit: 'no',
  ndoXmitSg: 'no',
  progIds: [],
  rxQueues: 8,
  txQueues: 2,
};

export const program: LiveProgram = { id: 116, name: 'r_dev', mapIds: [33] };

export const devmap: LiveMap = {
  id: 33,
  name: 'dev',
  type: 'devmap',
  maxEntries: 8,
  pinned: [],
  entries: [{ key: 0, ifindex: 20_102 }],
};

export interface Parts {
  readonly kernel?: LiveSystem['kernel'];
  readonly cpus?: number;
  readonly devices?: readonly LiveDevice[];
  readonly programs?: readonly LiveProgram[];
  readonly maps?: readonly LiveMap[];
  readonly links?: LiveSystem['links'];
  readonly offlineCpus?: readonly number[];
}

/** The router, or one that differs in the given parts. */
export function router(parts: Parts = {}): LiveSystem {
  const {
    kernel = { major: 6, minor: 18 },
    cpus = 2,
    devices = [r0, r1],
    programs = [program],
    maps = [devmap],
    links = [],
    offlineCpus = [],
  } = parts;
  return {
    kernel,
    cpus,
    offlineCpus,
    devices,
    links,
    programs: new Map(programs.map((one) => [one.id, one])),
    maps: new Map(maps.map((one) => [one.id, one])),
  };
}
