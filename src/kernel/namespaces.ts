import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, statSync } from 'node:fs';

import type { LiveNetns } from '../domain/live-system.ts';
import { decodeAttributes, decodeS32, encodeAttributes, encodeU32 } from '../domain/netlink-message.ts';
import type { NetlinkSocket } from './netlink.ts';
import { wayIn } from './netns.ts';

/** Where `ip netns` binds the namespaces it names. */
const NAMED = '/run/netns';
const OWN = '/proc/thread-self/ns/net';

/** The inode of the network namespace that this thread is in. */
export function currentNetnsInode(): number {
  return statSync(OWN).ino;
}

/**
 * The current network namespace, those with a name, and those that processes live in, each once; the current one comes
 * first. Of namespaces that only a descriptor or a mount elsewhere keeps alive nothing is known.
 */
export function listNamespaces(): LiveNetns[] {
  const names = new Map(namedNamespaces().toReversed());
  const pids = processNamespaces();
  const current = currentNetns();
  const others = new Set([...names.keys(), ...pids.keys()]);
  others.delete(current.inode);
  const described = (inode: number): Pick<LiveNetns, 'name' | 'pid'> => {
    const [name, pid] = [names.get(inode), pids.get(inode)];
    return { ...(name !== undefined && { name }), ...(pid !== undefined && { pid }) };
  };
  const shell = wayIn()?.shell ?? current.inode;
  return [
    { ...current, ...described(current.inode) },
    ...[...others].map((inode) => ({
      inode,
      current: false,
      ...described(inode),
      ...(inode === shell && { shell: true }),
    })),
  ];
}

/** The network namespace that this thread is in, as far as it is known without a search. */
export function currentNetns(): LiveNetns {
  const inode = currentNetnsInode();
  const way = wayIn();
  if (way === undefined || way.shell === inode) return { inode, current: true };
  const name = way.path.startsWith(`${NAMED}/`) ? way.path.slice(NAMED.length + 1) : undefined;
  return { inode, current: true, shell: false, ...(name === undefined ? { path: way.path } : { name }) };
}

/** A network namespace that is held open: it stays, and can be entered, whatever becomes of its name and processes. */
export interface HeldNamespace {
  readonly netns: LiveNetns;
  readonly fd: number;
  /** For enterNetns; valid as long as the set is. */
  readonly path: string;
}

/** Network namespaces held open together. Those that vanish meanwhile or may not be opened are left out. */
export class NamespaceSet implements Disposable {
  readonly #list: HeldNamespace[] = [];

  /** @throws Error of node:fs when one of them cannot be looked at, or more cannot be held open (EMFILE, ENFILE, ENOMEM) */
  constructor(namespaces: readonly LiveNetns[] = listNamespaces()) {
    try {
      for (const netns of namespaces) {
        const path = netns.current ? OWN : namespacePath(netns);
        const fd = path === undefined ? undefined : tryOpen(path, netns.inode);
        if (fd !== undefined) this.#list.push({ netns, fd, path: `/proc/self/fd/${fd}` });
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  get list(): readonly HeldNamespace[] {
    return this.#list;
  }

  /**
   * The namespaces by the numbers (netnsid) that rtnetlink knows them by: each namespace has numbers of its own.
   *
   * @param socket NETLINK_ROUTE, of the namespace whose numbers they are
   */
  byNetnsId(socket: NetlinkSocket): ReadonlyMap<number, LiveNetns> {
    return new Map(
      this.list.flatMap(({ netns, fd }) => {
        const id = netnsIdOf(fd, socket);
        return id === undefined ? [] : [[id, netns] as const];
      }),
    );
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#list) closeSync(fd);
  }
}

/** A path that opens the namespace; undefined when it has neither a name nor a process. */
function namespacePath({ name, pid, path }: LiveNetns): string | undefined {
  if (path !== undefined) return path;
  if (name !== undefined) return `${NAMED}/${name}`;
  return pid === undefined ? undefined : `/proc/${pid}/ns/net`;
}

/** Reasons for which not even a namespace that is there, and allowed, can be opened. */
const SHORTAGES = new Set<unknown>(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Undefined also where the path leads elsewhere by now: of a name that is removed an ordinary file is left for a moment. */
function tryOpen(path: string, inode: number): number | undefined {
  let fd;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (SHORTAGES.has((error as NodeJS.ErrnoException).code)) throw error;
    return undefined;
  }
  let found;
  try {
    found = fstatSync(fd).ino;
  } finally {
    if (found !== inode) closeSync(fd);
  }
  return found === inode ? fd : undefined;
}

const RTM_NEWNSID = 88;
const RTM_GETNSID = 90;
/** struct rtgenmsg, padded (linux/rtnetlink.h). */
const RTGENMSG = 4;
const NETNSA_NSID = 1;
const NETNSA_FD = 3;

/**
 * The number by which the socket's namespace knows another; undefined when it has none for it.
 *
 * @param fd of the other namespace
 */
export function netnsIdOf(fd: number, socket: NetlinkSocket): number | undefined {
  const attributes = encodeAttributes([{ type: NETNSA_FD, payload: encodeU32(fd) }]);
  const body = new Uint8Array(RTGENMSG + attributes.length);
  body.set(attributes, RTGENMSG);
  const message = socket.get(RTM_GETNSID, body, { operation: 'netns id' }).find(({ type }) => type === RTM_NEWNSID);
  const id = message && decodeS32(decodeAttributes(message.body.subarray(RTGENMSG)).get(NETNSA_NSID));
  return id === undefined || id < 0 ? undefined : id;
}

/** Inodes and names, by name. Files that are no namespaces (left from a boot before) are passed over. */
function namedNamespaces(): [number, string][] {
  let names: string[];
  try {
    names = readdirSync(NAMED);
  } catch {
    return [];
  }
  const { dev } = statSync(OWN);
  return names.toSorted().flatMap((name) => {
    const stat = statSync(`${NAMED}/${name}`, { throwIfNoEntry: false });
    return stat !== undefined && stat.dev === dev ? [[stat.ino, name] as [number, string]] : [];
  });
}

/** For each namespace with processes the lowest pid; this process, which will soon be gone, does not count. */
function processNamespaces(): Map<number, number> {
  const pids = readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .toSorted((a, b) => a - b);
  const namespaces = new Map<number, number>();
  for (const pid of pids) {
    const inode = inodeOf(pid);
    if (inode !== undefined && !namespaces.has(inode)) namespaces.set(inode, pid);
  }
  return namespaces;
}

function inodeOf(pid: number): number | undefined {
  try {
    const digits = /^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[1];
    return digits === undefined ? undefined : Number(digits);
  } catch {
    return undefined; // Gone meanwhile, a kernel thread, or another user's.
  }
}
