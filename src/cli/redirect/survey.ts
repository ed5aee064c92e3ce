import type { Occupant } from '../../domain/path-plan.ts';
import type { NamedDevice } from '../../domain/redirect-path.ts';
import { readInterface, readInterfaces } from '../../kernel/interfaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import { readOccupant } from '../../kernel/occupant.ts';
import type { HandleOf } from '../../kernel/path-reader.ts';
import type { PathStore } from '../../kernel/path-store.ts';
import { pinsOf } from '../../kernel/pins.ts';

/** A device with what is attached to it. */
export interface OccupiedDevice {
  readonly device: NamedDevice;
  readonly occupant: Occupant;
}

/**
 * The devices of this network namespace that have an XDP program, in the order of their ifindexes: one dump. Reads only.
 *
 * @param only the ifindex of the one device that is wanted
 * @throws KernelRefusal `link list`, `pin get`, `map …`
 */
export function occupiedDevices(store: PathStore, handleOf?: HandleOf, only?: number): OccupiedDevice[] {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const one = only === undefined ? undefined : readInterface(only, socket);
  const interfaces = only === undefined ? readInterfaces(socket) : one === undefined ? [] : [one];
  return interfaces
    .toSorted((a, b) => a.ifindex - b.ifindex)
    .flatMap(({ ifindex, name, xdp }) => {
      const device = { ifindex, ifname: name };
      const occupant = readOccupant(store, device, xdp, handleOf);
      return occupant === undefined ? [] : [{ device, occupant }];
    });
}

/** Programs and maps by the path of a pin of theirs, where they have one that is not among ours. */
export function pinnedHandles(store: PathStore): HandleOf {
  const pins = new Map<'prog' | 'map', ReturnType<typeof pinsOf>>();
  return (kind, id) => {
    const known = pins.get(kind) ?? pinsOf(kind);
    pins.set(kind, known);
    return known.get(id)?.find((path) => !path.startsWith(`${store.root}/`)) ?? `id:${id}`;
  };
}
