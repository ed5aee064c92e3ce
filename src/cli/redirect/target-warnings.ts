import { decodeDevmapValue } from '../../domain/devmap.ts';
import type { RedirectPath } from '../../domain/redirect-path.ts';
import { readInterface } from '../../kernel/interfaces.ts';
import { openMapAs } from '../../kernel/named-objects.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import { occupiedEntries } from '../../kernel/path-entries.ts';
import type { Context } from '../context.ts';
import { warnAboutTarget } from '../target-warning.ts';
import { offlineCpus } from './offline-cpus.ts';

/** Warns about every target of a path that cannot receive now, with the command that mends it. */
export async function warnAboutTargets(path: RedirectPath, context: Context): Promise<void> {
  const { device, mode } = path;
  const devices = targetDevices(path);
  if (devices.length > 0) {
    const ingressMtu = mtuOf(device.ifindex);
    for (const ifindex of devices) {
      await warnAboutTarget(context, ifindex, { mode, ...(ingressMtu !== undefined && { ingressMtu }) });
    }
  }
  for (const { sentence, fix } of offlineCpus(path)) await context.warn({ message: sentence, hint: fix });
}

/** Entries of a map of others that are looked at. */
const MOST = 256;

/** The ifindexes that frames may go to; of a map of others those of its entries that the program can look up. */
function targetDevices({ device, program, targets }: RedirectPath): number[] {
  if (targets.kind === 'devices') return targets.entries.map(({ ifindex }) => ifindex);
  if (targets.kind !== 'map' || (targets.type !== 'devmap' && targets.type !== 'devmap_hash')) return [];
  const key = program.kind === 'builtin' ? program.key : 'queue';
  const wanted = key === 'ingress' ? device.ifindex : typeof key === 'object' ? key.fixed : undefined;
  using map = openMapAs(targets);
  const found: number[] = [];
  for (const entry of occupiedEntries(map)) {
    if (wanted === undefined || entry.key === wanted) found.push(decodeDevmapValue(entry.value).ifindex);
    if (found.length === MOST) break;
  }
  return found;
}

function mtuOf(ifindex: number): number | undefined {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return readInterface(ifindex, socket)?.mtu;
}
