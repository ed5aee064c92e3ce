import { randomInt } from 'node:crypto';

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

/** One end of a veth pair. */
export interface End {
  readonly name: string;
  readonly ifindex: number;
  readonly mac: string;
  readonly namespace: string | undefined;
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

/** Throw-away network namespaces and devices. All are removed when it is disposed, and by the reaper if it never is. */
export class World implements Disposable {
  readonly #namespaces: string[] = [];
  readonly #pairs: End[] = [];

  /** Makes an empty namespace in which lo is up and IPv6 stays silent, and returns its name. */
  namespace(): string {
    const name = fixtureName();
    tool('ip', ['netns', 'add', name]);
    this.#namespaces.push(name);
    const quiet = ['all', 'default'].map((which) => `net.ipv6.conf.${which}.disable_ipv6=1`);
    tool('nsenter', [`--net=/run/netns/${name}`, 'sysctl', '-qew', ...quiet]);
    tool('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    return name;
  }

  /** Makes two connected interfaces with random ifindexes from 1,000 to 59,999 (they fit in a devmap of 65,536 slots). */
  veth(a: EndOptions = {}, b: EndOptions = {}): Pair {
    const [nameA, nameB] = [a.name ?? fixtureName(), b.name ?? fixtureName()];
    const home = a.namespace === undefined ? [] : ['-n', a.namespace];
    const peerHome = b.namespace === undefined ? '1' : b.namespace;
    for (let attempt = 0; ; attempt += 1) {
      const [indexA, indexB] = [randomInt(1000, 60_000), randomInt(1000, 60_000)];
      const words = `link add ${nameA} index ${indexA} type veth peer name ${nameB} index ${indexB} netns ${peerHome}`;
      try {
        tool('ip', [...home, ...words.split(' ')]);
        break;
      } catch (error) {
        // EEXIST or EBUSY: somebody has one of the two ifindexes.
        if (attempt === 5) throw error;
      }
    }
    // Removing either end removes both.
    this.#pairs.push({ name: nameA, ifindex: 0, mac: '', namespace: a.namespace });
    for (const [name, end] of [
      [nameA, a],
      [nameB, b],
    ] as const) {
      configure(name, end);
    }
    return { a: describeEnd(nameA, a.namespace), b: describeEnd(nameB, b.namespace) };
  }

  [Symbol.dispose](): void {
    for (const { name, namespace } of this.#pairs) quietly(() => setLink(namespace, 'del', name));
    for (const name of this.#namespaces) quietly(() => tool('ip', ['netns', 'del', name]));
  }
}

/** @returns an empty world, for `using` */
export function createWorld(): World {
  return new World();
}

/** Runs `ip link del|set …` in the namespace of an interface, e.g. `setLink(end.namespace, 'set', end.name, 'down')`. */
export function setLink(namespace: string | undefined, ...words: string[]): void {
  tool('ip', [...(namespace === undefined ? [] : ['-n', namespace]), 'link', ...words]);
}

/** Switches GRO of an interface. Off takes NAPI away from a veth, unless an XDP program is attached to it. */
export function setGro({ namespace, name }: Pick<End, 'namespace' | 'name'>, on: boolean): void {
  const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-K', name, 'gro', on ? 'on' : 'off']);
  tool(program, args);
}

/** The interface's own packet counters. */
export function counters({ namespace, name }: Pick<End, 'namespace' | 'name'>): Counters {
  const { stats64 } = showLink(name, namespace);
  return {
    received: stats64.rx.packets,
    sent: stats64.tx.packets,
    receiveDropped: stats64.rx.dropped,
    sendDropped: stats64.tx.dropped,
  };
}

interface LinkDescription {
  readonly ifindex: number;
  readonly address: string;
  readonly stats64: Record<'rx' | 'tx', { readonly packets: number; readonly dropped: number }>;
}

function showLink(name: string, namespace: string | undefined): LinkDescription {
  const home = namespace === undefined ? [] : ['-n', namespace];
  const [link] = toolJson('ip', [...home, '-s', '-j', 'link', 'show', 'dev', name]) as LinkDescription[];
  if (link === undefined) throw new Error(`ip shows no ${name}`);
  return link;
}

function describeEnd(name: string, namespace: string | undefined): End {
  const { ifindex, address } = showLink(name, namespace);
  return { name, ifindex, mac: address, namespace };
}

function configure(name: string, { namespace, mtu, up, gro }: EndOptions): void {
  // Without a link-local address the kernel sends no IPv6 neighbour or multicast chatter that tests would count.
  setLink(namespace, 'set', name, 'addrgenmode', 'none');
  if (mtu !== undefined) setLink(namespace, 'set', name, 'mtu', String(mtu));
  if (gro !== undefined) setGro({ namespace, name }, gro);
  if (up !== false) setLink(namespace, 'set', name, 'up');
}

/** Removal goes on when a test has removed something itself. */
function quietly(remove: () => void): void {
  try {
    remove();
  } catch {
    // It is gone already; what is not, the reaper finds.
  }
}
