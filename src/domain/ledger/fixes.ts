import type {
  LiveDevice,
  LiveEntry,
  LiveLink,
  LiveMap,
  LiveMode,
  LiveNetns,
  LivePeer,
  LiveProgram,
} from '../live-system.ts';
import { shellCommand } from '../shell-quote.ts';
import { ownWords } from '../typed-command.ts';
import { netnsPath, netnsWord } from './scene.ts';

/*
 * The commands that mend a lost redirect. Each runs where it is typed: a device of another namespace gets the words that
 * lead there. Where the namespace cannot be named there is no command.
 */

/** Stands for a name only the reader knows. */
export const anyDevice = 'DEV';

interface Placed {
  readonly ifname?: string;
  readonly netns?: LiveNetns;
}

/** Runs a command of another tool in the namespace of a device. */
function inNetnsOf(device: Placed | undefined, argv: (ifname: string) => readonly string[]): string | undefined {
  if (device?.ifname === undefined || device.netns === undefined) return undefined;
  const words = argv(device.ifname);
  const { netns } = device;
  if (isShell(netns)) return shellCommand(words);
  if (netns.name !== undefined) return shellCommand(['ip', 'netns', 'exec', netns.name, ...words]);
  const path = netnsPath(netns);
  return path === undefined ? undefined : shellCommand(['nsenter', `--net=${path}`, ...words]);
}

/** Whether a command that the user types runs in the namespace without further words. */
function isShell({ shell, current }: LiveNetns): boolean {
  return shell ?? current;
}

/** Our own command, which resolves names in the namespace of a device. */
function xdpctlAt(device: Placed | undefined, words: readonly string[]): string {
  const { netns } = device ?? {};
  const place = netns === undefined || isShell(netns) ? undefined : netnsWord(netns);
  return shellCommand(['xdpctl', ...(place === undefined ? [] : ['--netns', place]), ...ownWords(words)]);
}

/** `ip link set dev DEV up` */
export function setUp(device: LiveDevice | LivePeer | undefined): string | undefined {
  return inNetnsOf(device, (ifname) => ['ip', 'link', 'set', 'dev', ifname, 'up']);
}

/** `ip link set dev DEV mtu N` */
export function setMtu(device: LiveDevice | LivePeer | undefined, mtu: number): string | undefined {
  return inNetnsOf(device, (ifname) => ['ip', 'link', 'set', 'dev', ifname, 'mtu', String(mtu)]);
}

/** GRO makes a veth poll with NAPI, and so take redirected frames from its peer (since Linux 5.13). */
export function switchGroOn(peer: LivePeer | undefined): string | undefined {
  return inNetnsOf(peer, (ifname) => ['ethtool', '-K', ifname, 'gro', 'on']);
}

/** Makes the peer of a veth poll with NAPI. */
export function makePoll(peer: LivePeer | undefined): string | undefined {
  return peer?.groPolls === false ? attachPass(peer) : switchGroOn(peer);
}

export function switchGroOff(peer: LivePeer | undefined): string | undefined {
  return inNetnsOf(peer, (ifname) => ['ethtool', '-K', ifname, 'gro', 'off']);
}

/** Senders fill checksums in themselves. */
export function switchTxChecksumOff(peer: LivePeer | undefined): string | undefined {
  return inNetnsOf(peer, (ifname) => ['ethtool', '-K', ifname, 'tx', 'off']);
}

/** Brings a CPU back (util-linux). */
export function enableCpu(cpu: number): string {
  return shellCommand(['chcpu', '-e', String(cpu)]);
}

/**
 * Attaches a program in native mode instead of generic mode, with a gap: the kernel refuses to have both. A program without
 * a pin needs one, or it is freed when it is taken off.
 *
 * @param link the link that holds it; absent where it is attached without one
 */
export function changeToNative(device: LiveDevice, program: LiveProgram, link?: Pick<LiveLink, 'id'>): string {
  const [pin = 'PIN'] = program.pinned ?? [];
  const keep = pin === 'PIN' ? xdpctlAt(undefined, ['prog', 'pin', 'id', String(program.id), pin]) : undefined;
  const off =
    link === undefined ? detachGeneric(device) : xdpctlAt(undefined, ['link', 'detach', 'id', String(link.id)]);
  const on = xdpctlAt(device, ['net', 'attach', 'xdpdrv', 'pinned', pin, 'dev', device.ifname]);
  return [keep, off, on].filter((command) => command !== undefined).join(' && ');
}

/** Transmit queues alone, as drivers without combined ones have them. */
export function setTxQueues(device: LiveDevice | LivePeer | undefined, count: number): string | undefined {
  return inNetnsOf(device, (ifname) => ['ethtool', '-L', ifname, 'tx', String(count)]);
}

export function setQueues(device: LiveDevice | undefined, count: number): string | undefined {
  return inNetnsOf(device, (ifname) => ['ethtool', '-L', ifname, 'combined', String(count)]);
}

/** Receive queues: veths have them apart from those that transmit, drivers of hardware mostly not. */
export function setRxQueues(device: LiveDevice, count: number): string | undefined {
  if (device.kind === undefined) return setQueues(device, count);
  return inNetnsOf(device, (ifname) => ['ethtool', '-L', ifname, 'rx', String(count)]);
}

/** One receive queue; a veth with a program keeps as many as its peer has to transmit (veth_set_channels). */
export function receiveByOne(device: LiveDevice): string | undefined {
  const { peer } = device;
  const fewer = (peer?.txQueues ?? 1) > 1 ? setTxQueues(peer, 1) : undefined;
  return inOrder(fewer, setRxQueues(device, 1));
}

export function setTxRing(device: LiveDevice | undefined, length: number): string | undefined {
  return inNetnsOf(device, (ifname) => ['ethtool', '-G', ifname, 'tx', String(length)]);
}

export function setTxQueueLength(device: LiveDevice | undefined, length: number): string | undefined {
  return inNetnsOf(device, (ifname) => ['ip', 'link', 'set', 'dev', ifname, 'txqueuelen', String(length)]);
}

/** A program that passes everything makes several NIC drivers set up the rings that redirected frames need. */
export function attachPass(device: LiveDevice | LivePeer | undefined): string | undefined {
  if (device?.ifname === undefined || device.netns === undefined) return undefined;
  return xdpctlAt(device, ['net', 'attach', 'xdpdrv', 'builtin', 'pass', 'dev', device.ifname]);
}

/** A program of the reader's, where the driver runs none. */
export function attachGeneric(device: LiveDevice): string {
  return xdpctlAt(device, ['net', 'attach', 'xdpgeneric', 'PROG', 'dev', device.ifname]);
}

/** A socket that the driver need not know. */
export function bindCopying(device: LiveDevice): string {
  return xdpctlAt(device, ['xsk', 'bind', device.ifname, '--queue', 'N', '--attach', '--copy']);
}

/** Takes a program off, whoever attached it, in whichever mode, by a link or not. */
export function detachProgram(device: LiveDevice, { id }: Pick<LiveProgram, 'id'>): string {
  return xdpctlAt(device, ['redirect', 'detach', device.ifname, '--force', String(id)]);
}

/** Takes the program off that runs in generic mode, whatever it is. */
export function detachGeneric(device: LiveDevice): string {
  return xdpctlAt(device, ['net', 'detach', 'xdpgeneric', 'dev', device.ifname]);
}

/** The same redirect with another destination in its frames; only of a program of ours it is known how it was attached. */
export function writeAddress(program: LiveProgram | undefined, from: LiveDevice, to: LiveDevice): string | undefined {
  if (program?.keySource === undefined || from.netns.inode !== to.netns.inode) return undefined;
  return xdpctlAt(from, ['redirect', 'attach', from.ifname, '--to', to.ifname, '--dst-mac', 'MAC', '--replace']);
}

/** The same map of sockets, looked up by receive queue from now on: in one step, because mode and link stay. */
export function lookUpByQueue(device: LiveDevice, map: LiveMap, mode: LiveMode, link?: Pick<LiveLink, 'id'>): string {
  const words = ['redirect', 'attach', device.ifname, '--map', map.pinned[0] ?? `id:${map.id}`, '--key', 'queue'];
  const same = [...(mode === 'generic' ? ['--mode', mode] : []), ...(link === undefined ? [] : ['--link'])];
  return xdpctlAt(device, [...words, ...same, '--replace']);
}

/** Writes an entry of a devmap; without a known target the reader fills it in. */
export function writeDevice(map: LiveMap, key: number | undefined, at: Placed | undefined, ifname = anyDevice): string {
  return xdpctlAt(at, ['map', 'update', ...handleOf(map), 'key', keyWord(key), 'value', 'dev', ifname]);
}

/** Writes an entry of a cpumap with another queue length; a program in the entry stays. */
export function writeQueue(map: LiveMap, key: number | undefined, qsize: number, entry?: LiveEntry): string {
  const program = entry?.progId === undefined ? [] : ['prog', 'id', String(entry.progId)];
  const value = ['qsize', String(qsize), ...program];
  return xdpctlAt(undefined, ['map', 'update', ...handleOf(map), 'key', keyWord(key, 'CPU'), 'value', ...value]);
}

/** Removes the entry of a socket that is of no use, and puts one of ours in its place. */
export function replaceSocket(map: LiveMap, queue: number, device: LiveDevice): string | undefined {
  return inOrder(removeEntry(map, queue), bindSocket(map, queue, device));
}

export function removeEntry(map: LiveMap, key: number): string {
  return xdpctlAt(undefined, ['map', 'delete', ...handleOf(map), 'key', keyWord(key)]);
}

/** Puts a socket of ours into an xskmap. */
export function bindSocket(map: LiveMap, queue: number | undefined, device: LiveDevice | undefined): string {
  const words = ['xsk', 'bind', device?.ifname ?? anyDevice, '--queue', keyWord(queue, 'QUEUE')];
  return xdpctlAt(device, [...words, '--map', map.pinned[0] ?? `id:${map.id}`]);
}

/** The words that name a map: its pin, which lives longer than its id. */
function handleOf({ id, pinned }: LiveMap): string[] {
  const [pin] = pinned;
  return pin === undefined ? ['id', String(id)] : ['pinned', pin];
}

function keyWord(key: number | undefined, unknown = 'KEY'): string {
  return key === undefined ? unknown : String(key);
}

/** Several commands, one after the other; those without a command are left out. */
export function inOrder(...commands: readonly (string | undefined)[]): string | undefined {
  const known = commands.filter((command) => command !== undefined);
  return known.length === 0 ? undefined : known.join(' && ');
}
