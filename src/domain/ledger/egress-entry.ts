import type { Scene } from './scene.ts';

/** A devmap entry with a program in it. */
export interface EgressEntry {
  readonly mapId: number;
  readonly key: number;
  readonly progId: number;
}

/** The devmap entry with a program that leads to the target, in a map that a program on the ingress device uses. */
export function egressEntry({ counter, from, system }: Scene): EgressEntry | undefined {
  const used = new Set(from?.progIds.flatMap((id) => system.programs.get(id)?.mapIds ?? []));
  for (const map of system.maps.values()) {
    if (!['devmap', 'devmap_hash'].includes(map.type) || (used.size > 0 && !used.has(map.id))) continue;
    const entry = map.entries?.find(
      ({ ifindex, progId }) => ifindex === counter.toIfindex && progId !== undefined && progId !== 0,
    );
    if (entry?.progId !== undefined) return { mapId: map.id, key: entry.key, progId: entry.progId };
  }
  return undefined;
}
