import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { type BpfKind, bpfKinds, bpfObjects } from './bpf-objects.ts';
import { foreignStores, heldByOthers } from './held-by-others.ts';
import { runPrefix } from './run-id.ts';
import { slowness } from './slowness.ts';

/** What exists in the kernel, each thing in words that no other thing shares. */
export type KernelState = ReadonlySet<string>;

/**
 * Everything that a command of ours could leave behind: BPF maps, programs and links, namespaces, interfaces, pins,
 * trace instances, and descriptors of this very process.
 */
export function kernelState(): KernelState {
  return new Set(
    [
      ...bpfKinds.flatMap(objectsOf),
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
 * this machine come and go, so each new thing gets `milliseconds` to go away, and what others keep for longer may stay.
 *
 * @throws Error naming what stays
 */
export async function expectNothingNew(before: KernelState, milliseconds = 20_000): Promise<void> {
  let suspects = newSince(before);
  for (const end = Date.now() + milliseconds * slowness; suspects.length > 0 && Date.now() < end;) {
    await sleep(100);
    const now = kernelState();
    suspects = withoutHeldByOthers(suspects.filter((thing) => now.has(thing)));
  }
  if (suspects.length > 0) throw new Error(`left behind: ${suspects.join(', ')}`);
}

function objectsOf(kind: BpfKind): string[] {
  return bpfObjects(kind).map(({ id, type, name }) =>
    [kind, id, type, name].filter((word) => word !== undefined).join(' '),
  );
}

/** The things among these that are no BPF objects of others (held-by-others.ts), nor redirects in their namespaces. */
function withoutHeldByOthers(things: readonly string[]): string[] {
  if (things.length === 0) return [];
  const held: ReadonlySet<string> = heldByOthers();
  const stores = foreignStores().map((path) => `pin ${path}`);
  const there = pins('/sys/fs/bpf');
  const isForeign = (pin: string): boolean => stores.some((store) => pin.startsWith(store));
  // The folder of all stores stays as long as one of them does.
  const isShared = (thing: string): boolean => there.some((pin) => pin.startsWith(`${thing}/`) && isForeign(pin));
  return things.filter(
    (thing) => !held.has(/^(?:map|prog|link) \d+/.exec(thing)?.[0] ?? '') && !isForeign(thing) && !isShared(thing),
  );
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
