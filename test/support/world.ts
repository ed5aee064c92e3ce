import { randomBytes, randomInt } from 'node:crypto';

import { builtinPath } from './builtin-path.ts';
import { kernelHas } from './kernel-has.ts';
import { fixtureName } from './run-id.ts';
import { inNamespace, tool, toolJson } from './tool.ts';

/** How one end of a veth pair is made. */
export interface EndOptions {
  /** Name of the network namespace; absent for the machine's own. */
  readonly namespace?: string;
  /** Interface name; a new random one when absent, which the machine's own namespace must have. */
  readonly name?: string;
  readonly mtu?: number;
  /** Whether it is set up; yes when absent. */
  readonly up?: boolean;
  /** GRO, which makes a veth poll with NAPI, so that frames can be redirected to its peer; off when absent. */
  readonly gro?: boolean;
}

/** Where to find an interface. */
export interface Place {
  readonly name: string;
  /** Name of its network namespace; undefined for the machine's own. */
  readonly namespace: string | undefined;
}

/** One end of a veth pair. */
export interface End extends Place {
  readonly ifindex: number;
  readonly mac: string;
}

export interface Pair {
  readonly a: End;
  readonly b: End;
}

/** What the kernel counted at an interface since it was made. */
export interface Counters {
  readonly received: number;
  readonly sent: number;
  readonly receiveDropped: number;
  readonly sendDropped: number;
}

/** Throw-away namespaces and devices. They are removed when it is disposed of, and by the reaper if it never is. */
export class World implements Disposable {
  readonly #namespaces: string[] = [];
  readonly #pairs: Place[] = [];

  /**
   * Makes an empty namespace in which lo is up and IPv6 stays silent, and returns its name.
   *
   * @param suffix what the name ends with
   */
  namespace(suffix = ''): string {
    const name = `${fixtureName()}${suffix}`;
    tool('ip', ['netns', 'add', name]);
    this.#namespaces.push(name);
    const silence = 'cd /proc/sys/net/ipv6/conf && echo 1 >all/disable_ipv6 && echo 1 >default/disable_ipv6';
    tool('nsenter', [`--net=/run/netns/${name}`, 'sh', '-c', `${silence}; exec ip link set lo up`]);
    return name;
  }

  /** Makes two connected interfaces with random ifindexes from 1,000 to 59,999, which fit a devmap of 65,536 slots. */
  veth(a: EndOptions = {}, b: EndOptions = {}): Pair {
    const placeA = { name: a.name ?? fixtureName(), namespace: a.namespace };
    const placeB = { name: b.name ?? fixtureName(), namespace: b.namespace };
    const pair = addPair(placeA, placeB);
    this.#pairs.push(placeA); // Removing either end removes both.
    configure(placeA, a);
    configure(placeB, b);
    return pair;
  }

  [Symbol.dispose](): void {
    for (const { name, namespace } of this.#pairs) quietly(() => setLink(namespace, 'del', name));
    // All at once, but for those whose names a batch would take apart.
    const plain = this.#namespaces.filter((name) => /^\w+$/.test(name));
    const input = plain.map((name) => `netns del ${name}\n`).join('');
    if (input !== '') quietly(() => tool('ip', ['-force', '-batch', '-'], { input }));
    for (const name of this.#namespaces) {
      if (!plain.includes(name)) quietly(() => tool('ip', ['netns', 'del', name]));
    }
  }
}

/** @returns an empty world, for `using` */
export function createWorld(): World {
  return new World();
}

/** Runs `ip link …` in a namespace, e.g. `setLink(end.namespace, 'set', end.name, 'down')`. */
export function setLink(namespace: string | undefined, ...words: string[]): void {
  tool('ip', [...(namespace === undefined ? [] : ['-n', namespace]), 'link', ...words]);
}

/** Switches GRO of an interface. Off takes NAPI away from a veth, unless an XDP program is attached to it. */
export function setGro({ namespace, name }: Place, on: boolean): void {
  const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-K', name, 'gro', on ? 'on' : 'off']);
  tool(program, args);
  if (!kernelHas('5.13')) pollByProgram({ namespace, name }, on);
}

/** Before Linux 5.13 a veth polls with NAPI only while an XDP program is attached to it. */
function pollByProgram({ namespace, name }: Place, on: boolean): void {
  const program = on ? ['object', builtinPath('pass'), 'section', 'xdp'] : ['off'];
  setLink(namespace, 'set', 'dev', name, 'xdpdrv', ...program);
}

/** The interface's own packet counters. */
export function counters({ namespace, name }: Place): Counters {
  const { stats64 } = showLink(name, namespace);
  return {
    received: stats64.rx.packets,
    sent: stats64.tx.packets,
    receiveDropped: stats64.rx.dropped,
    sendDropped: stats64.tx.dropped,
  };
}

/** Makes the pair, with new ifindexes as often as somebody has one of them already. */
function addPair(one: Place, other: Place): Pair {
  // The words of ip name the namespace of the second end only.
  const [first, second] = other.namespace === undefined ? [other, one] : [one, other];
  const home = second.namespace === undefined ? [] : ['netns', second.namespace];
  for (let attempt = 0; ; attempt += 1) {
    const [end, peer] = [
      { ...first, ...randomIdentity() },
      { ...second, ...randomIdentity() },
    ];
    const identity = ({ ifindex, mac }: End): string[] => ['index', String(ifindex), 'address', mac];
    const far = ['peer', 'name', second.name, ...identity(peer), ...home];
    try {
      setLink(first.namespace, 'add', first.name, ...identity(end), 'type', 'veth', ...far);
      return first === one ? { a: end, b: peer } : { a: peer, b: end };
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

function randomIdentity(): Pick<End, 'ifindex' | 'mac'> {
  const bytes = [0x02, ...randomBytes(5)].map((byte) => byte.toString(16).padStart(2, '0'));
  return { ifindex: newIfindex(), mac: bytes.join(':') };
}

const givenIfindexes = new Set<number>();

/**
 * An ifindex that no other interface of this process gets: the kernel's events name interfaces by it alone, also those of
 * different network namespaces.
 */
export function newIfindex(): number {
  let ifindex;
  do ifindex = randomInt(1000, 60_000);
  while (givenIfindexes.has(ifindex));
  givenIfindexes.add(ifindex);
  return ifindex;
}

interface LinkDescription {
  readonly stats64: Record<'rx' | 'tx', { readonly packets: number; readonly dropped: number }>;
}

function showLink(name: string, namespace: string | undefined): LinkDescription {
  const home = namespace === undefined ? [] : ['-n', namespace];
  const [link] = toolJson('ip', [...home, '-s', '-j', 'link', 'show', 'dev', name]) as LinkDescription[];
  if (link === undefined) throw new Error(`ip shows no ${name}`);
  return link;
}

function configure({ name, namespace }: Place, { mtu, up, gro }: EndOptions): void {
  // Without a link-local address the kernel sends no IPv6 neighbour or multicast chatter that tests would count. In our
  // namespaces it has none anyway.
  if (namespace === undefined) setLink(namespace, 'set', name, 'addrgenmode', 'none');
  const words = [...(mtu === undefined ? [] : ['mtu', String(mtu)]), ...(up === false ? [] : ['up'])];
  if (words.length > 0) setLink(namespace, 'set', 'dev', name, ...words);
  // Last, because it tells a peer that is up only while the device is up itself (veth_set_features, drivers/net/veth.c).
  if (gro !== undefined) setGro({ namespace, name }, gro);
}

/** Removal goes on when a test has removed something itself. */
function quietly(remove: () => void): void {
  try {
    remove();
  } catch {
    // It is gone already; what is not, the reaper finds.
  }
}
