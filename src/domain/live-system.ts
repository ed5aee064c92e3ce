import type { KernelVersion } from './kernel-version.ts';
import type { MissAction } from './redirect-config.ts';

/*
 * What the running system looked like when frames were lost: the plain data that the verdicts on lost frames and the
 * check of a redirect path read. The kernel room fills it in; where it could not find something out, the property is
 * absent (or `unknown`), never guessed.
 */

/** A network namespace, and the ways to name it on a command line. */
export interface LiveNetns {
  /** Inode of the namespace file: its identity. */
  readonly inode: number;
  /** Name under /run/netns, when it has one. */
  readonly name?: string;
  /** A process that lives in it. */
  readonly pid?: number;
  /** Any other path of a namespace file. */
  readonly path?: string;
  /** Whether its devices are called by their names alone: it is the caller's own, or the one of --netns. */
  readonly current: boolean;
  /** Whether commands that the user types run in it; absent where that is the current one. */
  readonly shell?: boolean;
}

export type Ability = 'yes' | 'no' | 'unknown';

/** The other end of a veth pair. */
export interface LivePeer {
  readonly ifindex: number;
  readonly ifname?: string;
  readonly netns?: LiveNetns;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly gro?: boolean;
  /** False before Linux 5.13, where GRO alone does not make it poll with NAPI; absent where it does. */
  readonly groPolls?: false;
  /** Whether its driver runs an XDP program (native mode). */
  readonly hasXdp?: boolean;
  /** Transmit queues in use; a veth with fewer receive queues than these has no XDP at all. */
  readonly txQueues?: number;
  /** Whether its senders leave checksums to be filled in, which a veth never does. */
  readonly txChecksum?: boolean;
}

export type LiveMode = 'native' | 'generic' | 'offload';

export interface LiveDevice {
  readonly ifindex: number;
  readonly ifname: string;
  readonly netns: LiveNetns;
  /** IFF_UP: administratively up. */
  readonly up: boolean;
  readonly carrier?: boolean;
  readonly mtu: number;
  /** rtnetlink's IFLA_INFO_KIND (`veth`, `bridge`, `tun`); absent for hardware and for lo. */
  readonly kind?: string;
  /** Name of the driver; only of hardware, where the kind does not tell. */
  readonly driver?: string;
  readonly peer?: LivePeer;
  /** NETDEV_XDP_ACT_BASIC: whether its driver runs XDP programs now; absent where nothing tells. */
  readonly nativeXdp?: boolean;
  /** NETDEV_XDP_ACT_NDO_XMIT: whether it transmits redirected frames now. */
  readonly ndoXmit: Ability;
  /** NETDEV_XDP_ACT_NDO_XMIT_SG: the same for multi-buffer frames. */
  readonly ndoXmitSg: Ability;
  readonly gro?: boolean;
  /** Ids of the XDP programs attached to it; mostly one. */
  readonly progIds: readonly number[];
  /** The mode of the first one. */
  readonly xdpMode?: LiveMode;
  /** The mode of each, where there are several (a card that runs one beside that of its driver). */
  readonly xdpModes?: readonly LiveMode[];
  /** Receive queues in use. */
  readonly rxQueues?: number;
  /** Those it was made with (net_device.num_rx_queues); more cannot come into use. */
  readonly mostRxQueues?: number;
  readonly txQueues?: number;
}

export interface LiveProgram {
  readonly id: number;
  readonly name?: string;
  /** Hash of its instructions, 16 hexadecimal digits. */
  readonly tag?: string;
  readonly mapIds: readonly number[];
  /** Paths of its pins. */
  readonly pinned?: readonly string[];
  /** By what a program of ours looks its target up; absent for all others, which may use any key. */
  readonly keySource?: 'ingress' | 'queue' | { readonly key: number };
  /** The CPUs over which a program of ours spreads frames. */
  readonly cpus?: readonly number[];
  /** What a program of ours does with a frame whose key has no entry. */
  readonly onMiss?: MissAction;
  /** A program of ours that sends each frame to every member of its map. */
  readonly broadcast?: { readonly excludeIngress: boolean };
  /** Whether it takes frames of several buffers; absent where that is of no concern. */
  readonly fragments?: boolean;
  /** Programs that stand in for functions of this one, as the components of a libxdp dispatcher do (freplace). */
  readonly components?: readonly number[];
}

/** The link by which a program is attached to a device, or another one replaces a function of it. */
export interface LiveLink {
  readonly id: number;
  readonly progId: number;
  /** Of the device; its namespace is not told. */
  readonly ifindex?: number;
  /** Paths of its pins. */
  readonly pinned: readonly string[];
}

/** An AF_XDP socket in an XSKMAP, as far as this kernel and this process's rights allow it to be described. */
export interface LiveSocket {
  /** Receive queue; where `state` is missing, 0 may also mean that it is not bound. */
  readonly queue: number;
  /** `device-gone`: it was bound, and its device left. */
  readonly state?: 'unbound' | 'bound' | 'device-gone';
  /** In the network namespace with this inode number. */
  readonly ifindex?: number;
  readonly netns?: number;
  readonly zeroCopy?: boolean;
  /** The N of `socket:[N]` in /proc/PID/fd. */
  readonly inode?: number;
  /** A process that holds it. */
  readonly pid?: number;
  readonly comm?: string;
}

/** An occupied entry of a redirect map. */
export interface LiveEntry {
  readonly key: number;
  /** devmap, devmap_hash: the target. */
  readonly ifindex?: number;
  /** cpumap: length of the queue. */
  readonly qsize?: number;
  /** The program in the entry. */
  readonly progId?: number;
  readonly socket?: LiveSocket;
}

export interface LiveMap {
  readonly id: number;
  readonly name?: string;
  /** As in map-type.ts: `devmap`, `xskmap`, `hash`, … */
  readonly type: string;
  readonly maxEntries: number;
  /** Paths of its pins. */
  readonly pinned: readonly string[];
  /** The occupied entries; absent where they could not be read or are of no concern. */
  readonly entries?: readonly LiveEntry[];
}

export interface LiveSystem {
  readonly kernel: KernelVersion;
  /** Number of online CPUs. */
  readonly cpus: number;
  /** Those that there could be, and are not online now. */
  readonly offlineCpus: readonly number[];
  /** Devices of every namespace that could be looked into. */
  readonly devices: readonly LiveDevice[];
  readonly programs: ReadonlyMap<number, LiveProgram>;
  readonly maps: ReadonlyMap<number, LiveMap>;
  /** The links of XDP programs. */
  readonly links: readonly LiveLink[];
}
