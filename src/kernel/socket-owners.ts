import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that has a socket open. */
export interface SocketOwner {
  readonly pid: number;
  readonly comm: string;
  /** Its descriptor of the socket; the lowest where it has several. */
  readonly fd: number;
}

/**
 * The processes that hold sockets, by the socket's inode number, in ascending order of pids. Looks at every descriptor of
 * every process that this one may look at.
 *
 * @param inodes the sockets wanted; nothing is read when there are none
 */
export function socketOwners(inodes: ReadonlySet<number>): ReadonlyMap<number, readonly SocketOwner[]> {
  const owners = new Map<number, SocketOwner[]>();
  if (inodes.size === 0) return owners;
  for (const pid of processIds()) {
    for (const [inode, fd] of heldSockets(pid, inodes)) {
      const list = owners.get(inode);
      const owner = { pid, comm: commOf(pid), fd };
      if (list === undefined) owners.set(inode, [owner]);
      else list.push(owner);
    }
  }
  return owners;
}

/** All processes that /proc shows. */
export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** The process's name, empty when it is gone. */
export function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return '';
  }
}

function heldSockets(pid: number, wanted: ReadonlySet<number>): Map<number, number> {
  const held = new Map<number, number>();
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    // Gone meanwhile, or another user's.
    return held;
  }
  for (const fd of descriptors) {
    const inode = socketInode(`/proc/${pid}/fd/${fd}`);
    if (inode !== undefined && wanted.has(inode) && !held.has(inode)) held.set(inode, Number(fd));
  }
  return held;
}

function socketInode(path: string): number | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    // Closed meanwhile.
    return undefined;
  }
}
