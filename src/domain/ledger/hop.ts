import type { LiveDevice, LiveEntry, LiveMap, LiveProgram, LiveSystem } from '../live-system.ts';

/** A way that frames can take: in by a device, through an entry of a map that a program on it uses, out by another. */
export interface Hop {
  readonly from: LiveDevice;
  readonly program: LiveProgram;
  readonly map: LiveMap;
  readonly entry: LiveEntry;
  readonly to: LiveDevice;
  /** The mode of the program. */
  readonly generic: boolean;
}

/** Found once for each system. */
const hopsBySystem = new WeakMap<LiveSystem, readonly Hop[]>();

/** All ways through devmaps that the snapshot shows; those of bpf_redirect() are in no map. */
export function hopsOf(system: LiveSystem): readonly Hop[] {
  const known = hopsBySystem.get(system);
  if (known !== undefined) return known;
  const hops = system.devices.flatMap((from) => hopsFrom(from, system));
  hopsBySystem.set(system, hops);
  return hops;
}

function hopsFrom(from: LiveDevice, system: LiveSystem): Hop[] {
  const hops: Hop[] = [];
  for (const [index, progId] of from.progIds.entries()) {
    const mode = from.xdpModes?.[index] ?? from.xdpMode;
    for (const program of withComponents(progId, system)) {
      for (const map of devmapsOf(program, system)) {
        for (const entry of map.entries ?? []) {
          const to = targetOf(entry, from, system);
          if (to !== undefined) hops.push({ from, program, map, entry, to, generic: mode === 'generic' });
        }
      }
    }
  }
  return hops;
}

/** A program and those that stand in for functions of it. */
function withComponents(progId: number, { programs }: LiveSystem): LiveProgram[] {
  return [progId, ...(programs.get(progId)?.components ?? [])].flatMap((id) => programs.get(id) ?? []);
}

function devmapsOf({ mapIds }: LiveProgram, { maps }: LiveSystem): LiveMap[] {
  return mapIds.flatMap((id) => maps.get(id) ?? []).filter(({ type }) => type === 'devmap' || type === 'devmap_hash');
}

/** The entry names a device by its number alone, which mostly is of the namespace of the ingress device. */
function targetOf({ ifindex }: LiveEntry, from: LiveDevice, { devices }: LiveSystem): LiveDevice | undefined {
  const candidates = devices.filter((device) => device.ifindex === ifindex);
  return (
    candidates.find((device) => device.netns.inode === from.netns.inode) ??
    (candidates.length === 1 ? candidates[0] : undefined)
  );
}
