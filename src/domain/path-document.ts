import { type CpuWish, DEFAULT_QSIZE, type PathWish, type TargetWish } from './path-wish.ts';
import type { MissAction } from './redirect-config.ts';
import type { CpuEntry, DeviceEntry, EntryProgram, RedirectPath } from './redirect-path.ts';

/** Rises when documents change so that older programs would misread them. */
export const DOCUMENT_VERSION = 1;

/** The document of `redirect apply`, `diff` and `export`. */
export interface RedirectDocument {
  readonly xdpctl: typeof DOCUMENT_VERSION;
  readonly redirects: readonly PathWish[];
}

/**
 * A path as it stands in a document: by names, and without what is so by default.
 *
 * @param omit is told why something cannot be in a document, because it has no name that outlives a boot
 */
export function wishOf(path: RedirectPath, omit: (reason: string) => void): PathWish {
  const { device, mode, link, program } = path;
  return {
    dev: device.ifname,
    ...targetWishes(path, omit),
    ...(program.kind === 'object' && { object: program.file, program: program.name }),
    ...behaviour(path),
    ...(mode === 'generic' && { mode }),
    ...(link && { link }),
  };
}

/** Whether a document takes the path: one whose entries are gone, or whose pin of the targets is, leads nowhere. */
export function leadsSomewhere({ to, cpus, xsk, map, object }: PathWish): boolean {
  if (to?.length === 0 || cpus?.length === 0) return false;
  return [to, cpus, xsk, map, object].some((each) => each !== undefined);
}

/** The key and the action on a miss, where they are not those that the targets bring along. */
function behaviour({ program, targets }: RedirectPath): Pick<PathWish, 'key' | 'on_miss'> {
  if (program.kind === 'object') return {};
  const type = targets.kind === 'map' ? targets.type : undefined;
  const usualMiss: MissAction = targets.kind === 'sockets' || type === 'xskmap' ? 'pass' : 'aborted';
  const usualKey = targets.kind === 'sockets' || type === 'xskmap' || type === 'devmap' ? 'queue' : 'ingress';
  const key = typeof program.key === 'object' ? program.key.fixed : program.key;
  const keyed = targets.kind !== 'cpus' && type !== 'cpumap' && !isBroadcast(targets);
  return {
    ...(keyed && key !== usualKey && { key }),
    ...(program.onMiss !== usualMiss && !isBroadcast(targets) && { on_miss: program.onMiss }),
  };
}

function isBroadcast(targets: RedirectPath['targets']): boolean {
  return targets.kind === 'devices' && targets.broadcast;
}

function targetWishes(path: RedirectPath, omit: (reason: string) => void): Partial<PathWish> {
  const { targets } = path;
  switch (targets.kind) {
    case 'devices':
      return deviceWishes(path, targets, omit);
    case 'cpus': {
      const entries = targets.spread.flatMap((cpu) => targets.entries.filter(({ key }) => key === cpu));
      return cpuWishes(entries, omit);
    }
    case 'sockets':
      return { xsk: true };
    case 'map':
      if (!targets.handle.startsWith('/')) omit(`map ${targets.id} has no pin`);
      return { map: targets.handle };
    case 'own-maps':
      return {};
  }
}

function deviceWishes(
  { device, program }: RedirectPath,
  targets: RedirectPath['targets'] & { readonly kind: 'devices' },
  omit: (reason: string) => void,
): Partial<PathWish> {
  const named = targets.entries.filter(({ ifname, ifindex, key }) => {
    if (ifname !== unnamed(ifindex)) return true;
    omit(`${ifname}, the target of key ${key}, is not in this network namespace`);
    return false;
  });
  const inOrder = named.toSorted((a, b) => a.key - b.key);
  const common = commonProgram(inOrder);
  const to = inOrder.map((entry, index): string | TargetWish => {
    const key = entry.key === usualKey(index, entry) ? undefined : entry.key;
    const own = common === undefined ? programWish(entry.program, omit) : {};
    const wish = { dev: entry.ifname, ...(key !== undefined && { key }), ...own };
    return Object.keys(wish).length === 1 ? entry.ifname : wish;
  });
  return {
    to,
    ...(targets.broadcast && { broadcast: true }),
    ...(targets.excludeIngress && { exclude_ingress: true }),
    ...(common !== undefined && programWish(common.program, omit)),
  };

  /** The key that the i-th target has when none is written down. */
  function usualKey(index: number, entry: DeviceEntry): number | undefined {
    if (program.kind === 'object') return undefined;
    if (targets.broadcast) return entry.ifindex;
    if (typeof program.key === 'object') return program.key.fixed;
    return program.key === 'queue' ? index : device.ifindex;
  }
}

/** How the kernel room calls a device that has no name here (path-reader.ts). */
export function unnamed(ifindex: number): string {
  return `ifindex ${ifindex}`;
}

function cpuWishes(entries: readonly CpuEntry[], omit: (reason: string) => void): Partial<PathWish> {
  const common = commonProgram(entries);
  const [first] = entries;
  const qsize = entries.every((entry) => entry.qsize === first?.qsize) ? first?.qsize : undefined;
  const cpus = entries.map((entry): number | CpuWish => {
    const prog = common === undefined ? entryHandle(entry.program, omit) : undefined;
    const wish = {
      cpu: entry.key,
      ...(qsize === undefined && { qsize: entry.qsize }),
      ...(prog !== undefined && { prog }),
    };
    return Object.keys(wish).length === 1 ? entry.key : wish;
  });
  const prog = common && entryHandle(common.program, omit);
  return {
    cpus,
    ...(qsize !== undefined && qsize !== DEFAULT_QSIZE && { qsize }),
    ...(prog !== undefined && { prog }),
  };
}

/** The program that all entries have (perhaps none); undefined when they differ. */
function commonProgram(
  entries: readonly { readonly program?: EntryProgram }[],
): { readonly program: EntryProgram | undefined } | undefined {
  const [first] = entries;
  const texts = new Set(entries.map(({ program }) => JSON.stringify(program)));
  return texts.size > 1 ? undefined : { program: first?.program };
}

function programWish(
  program: EntryProgram | undefined,
  omit: (reason: string) => void,
): Pick<PathWish, 'egress' | 'dst_mac' | 'src_mac'> {
  if (program?.kind === 'own' && (program.dstMac !== undefined || program.srcMac !== undefined)) {
    return {
      ...(program.dstMac !== undefined && { dst_mac: program.dstMac }),
      ...(program.srcMac !== undefined && { src_mac: program.srcMac }),
    };
  }
  const egress = entryHandle(program, omit);
  return egress === undefined ? {} : { egress };
}

function entryHandle(program: EntryProgram | undefined, omit: (reason: string) => void): string | undefined {
  if (program === undefined) return undefined;
  if (program.kind === 'own') return `builtin:${program.action}`;
  if (!program.handle.startsWith('/')) omit(`program ${program.id} has no pin`);
  return program.handle;
}
