import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { runPrefix } from './run-id.ts';
import { slowness } from './slowness.ts';
import { toolJson } from './tool.ts';

/** What exists in the kernel, each thing in words that no other thing shares. */
export type KernelState = ReadonlySet<string>;

/**
 * Everything that a command of ours could leave behind: BPF maps, programs and links, namespaces, interfaces, pins,
 * trace instances, and descriptors of this very process.
 */
export function kernelState(): KernelState {
  return new Set(
    [
      ...['map', 'prog', 'link'].flatMap(bpfObjects),
      ...entries('/run/netns').map((name) => `namespace ${name}`),
      ...entries('/sys/class/net').map((name) => `interface ${name}`),
      ...pins('/sys/fs/bpf'),
      ...entries('/sys/kernel/tracing/instances').map((name) => `trace instance ${name}`),
      ...descriptors(),
    ].filter((thing) => !isOfOtherRun(thing)),
  );
}

/** Whether a name says that it is a fixture of another test run on this machine (run-id.ts). */
function isOfOtherRun(thing: string): boolean {
  const [, name = ''] = /^(?:namespace |interface |pin \/sys\/fs\/bpf\/)(xt[a-z0-9]{12})\b/.exec(thing) ?? [];
  return name !== '' && !name.startsWith(runPrefix());
}

/** What is there now and was not before. */
export function newSince(before: KernelState): string[] {
  return [...kernelState()].filter((thing) => !before.has(thing));
}

/**
 * Fails when something that was not there before stays. The kernel frees much only after a while, and other programs of
 * this machine come and go, so each new thing gets `milliseconds` to go away.
 *
 * @throws Error naming what stays
 */
export async function expectNothingNew(before: KernelState, milliseconds = 20_000): Promise<void> {
  let suspects = newSince(before);
  for (const end = Date.now() + milliseconds * slowness; suspects.length > 0 && Date.now() < end;) {
    await sleep(50);
    const now = kernelState();
    suspects = suspects.filter((thing) => now.has(thing));
  }
  if (suspects.length > 0) throw new Error(`left behind: ${suspects.join(', ')}`);
}

/** bpftool gives up when an object goes away while it lists (EAGAIN or ENOENT of its id): then it lists again. */
function listObjects(kind: string, tries = 20): BpfObject[] {
  try {
    return toolJson('bpftool', ['-j', kind, 'show']) as BpfObject[];
  } catch (error) {
    if (tries <= 1) throw error;
    return listObjects(kind, tries - 1);
  }
}

/**
 * An array of programs stays for good when somebody lists maps while the kernel clears it, which this very list does: it
 * takes a reference each time the last descriptor is closed, and gives back one (prog_array_map_clear, kernel/bpf/arraymap.c;
 * seen on Linux 6.18 with bpftool alone). The tool makes such arrays to find out what programs are like.
 */
function isLostByKernel({ type, name }: BpfObject): boolean {
  return type === 'prog_array' && name === 'xdpctl_scratch';
}

interface BpfObject {
  readonly id: number;
  readonly type?: string;
  readonly name?: string;
}

function bpfObjects(kind: string): string[] {
  const objects = listObjects(kind).filter((each) => !isLostByKernel(each));
  return objects.map(({ id, type, name }) => [kind, id, type, name].filter((word) => word !== undefined).join(' '));
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function pins(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return [`pin ${path}`, ...(entry.isDirectory() ? pins(path) : [])];
    });
  } catch {
    return []; // It has gone meanwhile.
  }
}

/** Sockets, BPF objects, namespaces and files that this process has open; reading /proc/self/fd opens one more. */
function descriptors(): string[] {
  return entries('/proc/self/fd').flatMap((fd) => {
    try {
      return [`descriptor ${fd} (${readlinkSync(`/proc/self/fd/${fd}`)})`];
    } catch {
      return [];
    }
  });
}
