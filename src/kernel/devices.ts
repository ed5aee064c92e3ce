import { KernelRefusal, ToolError } from '../domain/errors.ts';
import { kernelFeatures } from '../domain/kernel-feature.ts';
import type { Ability, LiveDevice, LiveNetns, LivePeer } from '../domain/live-system.ts';
import { guessNdoXmit } from '../domain/ndo-xmit.ts';
import { lacksXdpQueues } from '../domain/xdp-queues.ts';
import { channels, type Channels, driverName, groOn, txChecksumOn } from './ethtool.ts';
import { type Interface, readInterface, readInterfaces } from './interfaces.ts';
import { hasFeature } from './kernel-features.ts';
import { currentNetns, type HeldNamespace, NamespaceSet, netnsIdOf } from './namespaces.ts';
import { readXdpFeatures, readXdpFeaturesOf, type XdpFeatures } from './netdev-features.ts';
import { NETLINK_ROUTE, NetlinkSocket } from './netlink.ts';
import { enterNetns } from './netns.ts';

/** What only the namespace that an interface is in can tell of it. */
interface Place {
  readonly netns?: LiveNetns | undefined;
  readonly gro?: boolean | undefined;
  readonly channels?: Channels | undefined;
  readonly txChecksum?: boolean | undefined;
  readonly driver?: string | undefined;
}

interface Sighting extends Place {
  readonly netns: LiveNetns;
  readonly interface: Interface;
  readonly features: XdpFeatures | undefined;
}

/** A namespace while it is being read. */
interface Space {
  readonly held: HeldNamespace;
  /** NETLINK_ROUTE, opened in it. */
  readonly socket: NetlinkSocket;
  readonly sightings: readonly Sighting[];
}

/**
 * All devices of all namespaces that can be entered: one dump of interfaces and one of features each.
 *
 * @throws KernelRefusal `link list`, `genl netdev` in the current namespace
 */
export function readDevices(): LiveDevice[] {
  using namespaces = new NamespaceSet();
  const spaces: Space[] = [];
  try {
    for (const held of namespaces.list) {
      const space = readSpace(held);
      if (space !== undefined) spaces.push(space);
    }
    const peers = new PeerFinder(spaces);
    return spaces.flatMap((space) => space.sightings.map((each) => describe(each, peers.find(each, space))));
  } finally {
    for (const { socket } of spaces) socket[Symbol.dispose]();
  }
}

/**
 * One device of the current namespace, quickly; undefined when there is none of that ifindex. What takes longer, and matters
 * only when something is wrong, comes with `locatePeer`.
 *
 * @throws KernelRefusal `link get`, `genl netdev`
 */
export function readDevice(ifindex: number): LiveDevice | undefined {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const found = readInterface(ifindex, socket);
  if (found === undefined) return undefined;
  const peer = peerLink(found);
  const other = peer && tryReadInterface(peer.ifindex, socket, peer.netnsId);
  const netns = currentNetns();
  return describe({ interface: found, netns, features: readXdpFeaturesOf(ifindex) }, other && describePeer(other));
}

/**
 * A device of the current namespace with GRO, the queues in use, and everything about its peer: the namespace it is in, and
 * what only that can tell.
 *
 * @throws KernelRefusal `link get`
 */
export function locatePeer(device: LiveDevice): LiveDevice {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const { ifindex, netns } = device;
  const { gro, channels: queues, driver } = place(netns, device, socket);
  const known = {
    ...device,
    ...(gro !== undefined && { gro }),
    ...(driver !== undefined && { driver }),
    ...(queues !== undefined && { rxQueues: queues.rx, txQueues: queues.tx }),
  };
  const found = readInterface(ifindex, socket);
  const link = found && peerLink(found);
  const peer = link && tryReadInterface(link.ifindex, socket, link.netnsId);
  if (found === undefined || link === undefined || peer === undefined) return known;
  const where = link.netnsId === undefined ? place(netns, named(peer), socket) : placeThere(peer, link.netnsId, socket);
  const described = describePeer(peer, where);
  return withNativeXdp({ ...known, peer: described, ...(device.ndoXmit === 'unknown' && guessed(found, described)) });
}

/** Where the other end of a veth pair is. */
function peerLink({ kind, link }: Interface): Interface['link'] {
  return kind === 'veth' ? link : undefined;
}

function placeThere(peer: Interface, netnsId: number, socket: NetlinkSocket): Place {
  using namespaces = new NamespaceSet();
  const netns = namespaces.byNetnsId(socket).get(netnsId);
  const held = namespaces.list.find((each) => each.netns === netns);
  const there =
    held &&
    inside(held, () => {
      using another = new NetlinkSocket(NETLINK_ROUTE);
      return place(held.netns, named(peer), another);
    });
  return there ?? { netns };
}

interface Named {
  readonly ifname: string;
  readonly kind?: string;
}

function named({ name, kind }: Interface): Named {
  return { ifname: name, ...(kind !== undefined && { kind }) };
}

/** @param socket opened in the namespace */
function place(
  netns: LiveNetns,
  { ifname, kind }: Named,
  { fd }: NetlinkSocket,
): Place & { readonly netns: LiveNetns } {
  const isHardware = kind === undefined && ifname !== 'lo';
  return {
    netns,
    gro: groOn(fd, ifname),
    channels: channels(fd, ifname),
    // Only the checksums of a veth's senders get lost in a redirect.
    txChecksum: kind === 'veth' ? txChecksumOn(fd, ifname) : undefined,
    driver: isHardware ? driverName(fd, ifname) : undefined,
  };
}

/** Undefined for a namespace that may not be entered; the current one must be readable. */
function readSpace(held: HeldNamespace): Space | undefined {
  return held.netns.current ? sightingsHere(held) : inside(held, () => sightingsHere(held));
}

/** Undefined when the namespace may not be entered or read. */
function inside<Result>({ path }: HeldNamespace, act: () => Result): Result | undefined {
  try {
    using _inside = enterNetns(path);
    return act();
  } catch (error) {
    if (error instanceof KernelRefusal || error instanceof ToolError) return undefined;
    throw error;
  }
}

function sightingsHere(held: HeldNamespace): Space {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    const features = readXdpFeatures();
    const sightings = readInterfaces(socket).map((each) => ({
      interface: each,
      features: features?.get(each.ifindex),
      ...place(held.netns, named(each), socket),
    }));
    return { held, socket, sightings };
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}

/** Joins the ends of veth pairs. */
class PeerFinder {
  readonly #byEnds = new Map<string, { readonly sighting: Sighting; readonly space: Space }[]>();
  readonly #ids = new Map<string, number | undefined>();

  constructor(spaces: readonly Space[]) {
    for (const space of spaces) {
      for (const sighting of space.sightings) {
        const link = peerLink(sighting.interface);
        if (link === undefined) continue;
        const key = ends(sighting.interface.ifindex, link.ifindex);
        const there = this.#byEnds.get(key);
        if (there === undefined) this.#byEnds.set(key, [{ sighting, space }]);
        else there.push({ sighting, space });
      }
    }
  }

  find({ interface: here }: Sighting, space: Space): LivePeer | undefined {
    const { ifindex } = here;
    const link = peerLink(here);
    if (link === undefined) return undefined;
    // Ifindexes are only unique in a namespace: of several pairs with the same two, the right one is where netnsId leads.
    const found = this.#byEnds
      .get(ends(link.ifindex, ifindex))
      ?.find((other) => this.#leadsTo(link.netnsId, space, other.space));
    if (found !== undefined) return describePeer(found.sighting.interface, found.sighting);
    const hidden = tryReadInterface(link.ifindex, space.socket, link.netnsId);
    return hidden && describePeer(hidden);
  }

  #leadsTo(netnsId: number | undefined, from: Space, to: Space): boolean {
    if (netnsId === undefined) return from === to;
    if (from === to) return false;
    const key = ends(from.held.netns.inode, to.held.netns.inode);
    if (!this.#ids.has(key)) this.#ids.set(key, netnsIdOf(to.held.fd, from.socket));
    return this.#ids.get(key) === netnsId;
  }
}

function ends(here: number, there: number): string {
  return `${here} ${there}`;
}

/** Undefined also when the kernel does not show interfaces of other namespaces (before 5.0), or not to us. */
function tryReadInterface(ifindex: number, socket: NetlinkSocket, netnsId: number | undefined): Interface | undefined {
  try {
    return readInterface(ifindex, socket, netnsId);
  } catch (error) {
    if (error instanceof KernelRefusal) return undefined;
    throw error;
  }
}

function describePeer(peer: Interface, { netns, gro, channels: queues, txChecksum }: Place = {}): LivePeer {
  return {
    ifindex: peer.ifindex,
    ifname: peer.name,
    up: peer.up,
    mtu: peer.mtu,
    hasXdp: isNative(peer),
    ...(!groPolls() && { groPolls: false }),
    ...(netns !== undefined && { netns }),
    ...(gro !== undefined && { gro }),
    ...(queues !== undefined && { txQueues: queues.tx }),
    ...(txChecksum !== undefined && { txChecksum }),
  };
}

/** Whether a veth with GRO polls with NAPI (veth_set_features(), drivers/net/veth.c). */
function groPolls(): boolean {
  return hasFeature(kernelFeatures.vethGro);
}

function describe(sighting: Sighting, peer: LivePeer | undefined): LiveDevice {
  const { interface: here, netns, features, gro, driver } = sighting;
  const { ifindex, name, up, carrier, mtu, kind, xdp } = here;
  const mode = xdp[0]?.mode;
  return withNativeXdp({
    ifindex,
    ifname: name,
    netns,
    up,
    mtu,
    ...abilities(sighting, peer),
    progIds: xdp.map(({ progId }) => progId),
    rxQueues: sighting.channels?.rx ?? here.rxQueues,
    mostRxQueues: here.rxQueues,
    txQueues: sighting.channels?.tx ?? here.txQueues,
    ...(features !== undefined && { nativeXdp: features.basic }),
    ...(carrier !== undefined && { carrier }),
    ...(kind !== undefined && { kind }),
    ...(peer !== undefined && { peer }),
    ...(gro !== undefined && { gro }),
    ...(driver !== undefined && { driver }),
    ...(mode !== undefined && { xdpMode: mode }),
    ...(xdp.length > 1 && { xdpModes: xdp.map((each) => each.mode) }),
  });
}

/** Where the kernel does not tell. */
function withNativeXdp(device: LiveDevice): LiveDevice {
  return device.nativeXdp === undefined && lacksXdpQueues(device) ? { ...device, nativeXdp: false } : device;
}

function abilities({ interface: here, features }: Sighting, peer: LivePeer | undefined): Abilities {
  if (features === undefined) return guessed(here, peer);
  return { ndoXmit: ability(features.ndoXmit), ndoXmitSg: ability(features.ndoXmitSg) };
}

interface Abilities {
  readonly ndoXmit: Ability;
  readonly ndoXmitSg: Ability;
}

/** For kernels that do not tell. */
function guessed(here: Interface, peer: LivePeer | undefined): Abilities {
  const { name, kind } = here;
  const signs = { ifname: name, nativeProgram: isNative(here) };
  const ndoXmit = guessNdoXmit({ ...signs, ...(kind !== undefined && { kind }), ...(peer !== undefined && { peer }) });
  return { ndoXmit, ndoXmitSg: ndoXmit === 'no' ? 'no' : 'unknown' };
}

function ability(has: boolean): Ability {
  return has ? 'yes' : 'no';
}

function isNative({ xdp }: Interface): boolean {
  return xdp.some(({ mode }) => mode === 'native');
}
