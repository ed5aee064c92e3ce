import type { Occupant } from '../../domain/path-plan.ts';
import type { Counted } from '../../domain/path-rates.ts';
import { entriesOf, type NamedDevice, type RedirectPath } from '../../domain/redirect-path.ts';
import { interfaceName } from '../../kernel/interface-names.ts';
import { readPathCounts } from '../../kernel/path-counters.ts';
import { directoryInEffect } from '../../kernel/path-journal.ts';
import type { PathStore } from '../../kernel/path-store.ts';
import type { KeyCount } from '../../kernel/redirect-counters.ts';
import type { OccupiedDevice } from './survey.ts';

/** A device with what its program has counted. */
export interface CountedPath {
  readonly device: NamedDevice;
  readonly occupant: Occupant;
  /** Absent for programs that are not ours, and have no counters that we know. */
  readonly counts?: {
    readonly keys: readonly Counted[];
    readonly egress: readonly Counted[];
  };
}

/** @throws KernelRefusal `pin get`, `map lookup` */
export function readCounted({ device, occupant }: OccupiedDevice, store: PathStore): CountedPath {
  const directory = directoryInEffect(store, device.ifindex, [occupant.programId]);
  const counts = directory === undefined ? undefined : readPathCounts(directory);
  const path = occupant.own?.path;
  if (counts === undefined || path === undefined) return { device, occupant };
  const keyLabel = labels(path);
  const targets = targetNames(path);
  return {
    device,
    occupant,
    counts: {
      keys: counts.keys.map((count) => counted(count, keyLabel, targets)),
      egress: counts.egress.map((count) => counted(count, egressLabel(path))),
    },
  };
}

function counted(
  { key, good, bad }: KeyCount,
  label: (key: number) => string,
  targets?: (key: number) => string | undefined,
): Counted {
  if (key === undefined) return { label: 'others', good, bad };
  const target = targets?.(key);
  return { key, label: label(key), good, bad, ...(target !== undefined && { target }) };
}

function labels({ program, targets }: RedirectPath): (key: number) => string {
  if (targets.kind === 'cpus' || (targets.kind === 'map' && targets.type === 'cpumap')) return (key) => `CPU ${key}`;
  if (program.kind === 'builtin' && program.key === 'queue') return (key) => `queue ${key}`;
  if (program.kind === 'builtin' && program.key === 'ingress') {
    return (key) => `from ${interfaceName(key) ?? `ifindex ${key}`}`;
  }
  return (key) => `key ${key}`;
}

function targetNames(path: RedirectPath): (key: number) => string | undefined {
  const { targets } = path;
  if (targets.kind !== 'devices') return () => undefined;
  if (targets.broadcast) return () => targets.entries.map(({ ifname }) => ifname).join(', ');
  const byKey = new Map(entriesOf(path).map((entry) => [entry.key, 'ifname' in entry ? entry.ifname : undefined]));
  return (key) => byKey.get(key);
}

/** Programs in devmaps count by the target, those in cpumaps by the device the frame came by. */
function egressLabel({ targets }: RedirectPath): (key: number) => string {
  const cpumap = targets.kind === 'cpus' || (targets.kind === 'map' && targets.type === 'cpumap');
  return (key) => `egress ${cpumap ? 'from' : 'to'} ${interfaceName(key) ?? `ifindex ${key}`}`;
}
