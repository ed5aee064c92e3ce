import { readdirSync, readFileSync, statSync } from 'node:fs';

import { bpfKinds, type BpfKind, type BpfObject, bpfObjects } from './bpf-objects.ts';
import { runPrefix, runVariable } from './run-id.ts';
import { toolJson } from './tool.ts';

/** A map, program or link in words that no other object shares: `map 5`. */
export type ObjectWord = `${BpfKind} ${number}`;

/**
 * The BPF objects that this test run answers for in no way, because something that is not of this run keeps them: a process
 * has a descriptor of it, it is pinned, or it is attached to a device; or another of these objects uses it. What nobody
 * seems to keep is not among them: it may have been lost by us.
 */
export function heldByOthers(): ReadonlySet<ObjectWord> {
  const objects = new Map<ObjectWord, BpfObject>(
    bpfKinds.flatMap((kind) => bpfObjects(kind, ['-f']).map((each) => [`${kind} ${each.id}`, each] as const)),
  );
  const held = new Set<ObjectWord>([...heldByProcesses(), ...attachedInNamespaces()]);
  const stores = foreignStores();
  for (const [word, { pinned = [] }] of [...objects, ...pinnedElsewhere()]) {
    if (pinned.some((path) => isForeignPin(path, stores))) held.add(word);
  }
  // A set that grows while it is walked is walked to its end.
  for (const word of held) {
    const { map_ids = [], prog_id } = objects.get(word) ?? {};
    for (const id of map_ids) held.add(`map ${id}`);
    if (prog_id !== undefined) held.add(`prog ${prog_id}`);
  }
  return held;
}

/** By the descriptors of processes that were not started by this run. */
function heldByProcesses(): ObjectWord[] {
  return foreignProcesses().flatMap((pid) => heldBy(Number(pid)));
}

function foreignProcesses(): string[] {
  const run = `${runVariable}=${process.env[runVariable] ?? ''}`;
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => !read(`/proc/${pid}/environ`).split('\0').includes(run));
}

/** The objects of which a process has descriptors (/proc/PID/fdinfo, Documentation/filesystems/proc.rst). */
export function heldBy(pid: number): ObjectWord[] {
  return entries(`/proc/${pid}/fdinfo`).flatMap((fd) =>
    [...read(`/proc/${pid}/fdinfo/${fd}`).matchAll(/^(map|prog|link)_id:\s*(\d+)$/gm)].map(
      ([, kind, id]): ObjectWord => `${kind as BpfKind} ${Number(id)}`,
    ),
  );
}

interface IpLink {
  readonly xdp?: { readonly prog?: { readonly id: number }; readonly attached?: readonly { prog: { id: number } }[] };
}

/** The programs on devices in the named network namespaces of others. */
function attachedInNamespaces(): ObjectWord[] {
  return foreignNamespaces().flatMap((name) => {
    try {
      return (toolJson('ip', ['-n', name, '-j', '-d', 'link', 'show']) as IpLink[]).flatMap(({ xdp }) =>
        [xdp?.prog?.id, ...(xdp?.attached ?? []).map(({ prog }) => prog.id)].flatMap((id): ObjectWord[] =>
          id === undefined ? [] : [`prog ${id}`],
        ),
      );
    } catch {
      return []; // It has gone meanwhile.
    }
  });
}

function foreignNamespaces(): string[] {
  return entries('/run/netns').filter((name) => !name.startsWith(runPrefix()));
}

/** What the names of the folders begin with in which the tool keeps the redirects of the namespaces of others. */
export function foreignStores(): string[] {
  const named = foreignNamespaces().map((name) => inodeOf(`/run/netns/${name}`));
  const entered = foreignProcesses().map((pid) => inodeOf(`/proc/${pid}/ns/net`));
  const own = inodeOf('/proc/self/ns/net');
  return [...new Set([...named, ...entered])].flatMap((inode) =>
    inode === undefined || inode === own ? [] : [`/sys/fs/bpf/xdpctl/${inode}_`],
  );
}

/** What has pins in a bpffs that only processes in another mount namespace see. */
function pinnedElsewhere(): (readonly [ObjectWord, BpfObject])[] {
  const namespaces = new Map<number, string>();
  for (const pid of entries('/proc').filter((name) => /^\d+$/.test(name))) {
    const ino = inodeOf(`/proc/${pid}/ns/mnt`);
    if (ino !== undefined) namespaces.set(ino, pid);
  }
  namespaces.delete(inodeOf('/proc/self/ns/mnt') ?? 0);
  return [...namespaces.values()].flatMap((pid) => {
    try {
      return bpfKinds.flatMap((kind) =>
        bpfObjects(kind, ['-f'], ['nsenter', `--mount=/proc/${pid}/ns/mnt`]).map(
          (each) => [`${kind} ${each.id}`, each] as const,
        ),
      );
    } catch {
      return []; // It has gone meanwhile, or has no bpftool.
    }
  });
}

function isForeignPin(path: string, stores: readonly string[]): boolean {
  if (path.startsWith('/sys/fs/bpf/xdpctl/')) return stores.some((store) => path.startsWith(store));
  return !path.startsWith(`/sys/fs/bpf/${runPrefix()}`);
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // It has ended.
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined; // It has ended, or is hidden: the first process of a sandbox may be.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has ended.
  }
}
