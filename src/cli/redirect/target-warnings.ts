import { decodeDevmapValue } from '../../domain/devmap.ts';
import type { RedirectPath } from '../../domain/redirect-path.ts';
import { onlineCpuList } from '../../kernel/cpu.ts';
import { readInterface } from '../../kernel/interfaces.ts';
import { openMapAs } from '../../kernel/named-objects.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import { occupiedEntries } from '../../kernel/path-entries.ts';
import type { Context } from '../context.ts';
import { warnAboutTarget } from '../target-warning.ts';

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
  // Loaded only where there may be something to say: mostly there is not.
  if (hasSeveralKeys(path)) {
    const { keyWarnings } = await import('./key-warnings.ts');
    for (const warning of keyWarnings(path)) await context.warn(warning);
  }
  const offline = offlineCpus(path);
  if (offline.length > 0) {
    const { offlineWarnings } = await import('./offline-cpus.ts');
    for (const warning of offlineWarnings(path, offline)) await context.warn(warning);
  }
}

/** Whether there may be keys without an entry, or entries that no frame comes to. */
function hasSeveralKeys({ program, targets }: RedirectPath): boolean {
  if (program.kind !== 'builtin') return false;
  if (targets.kind === 'map') return targets.type === 'devmap' || targets.type === 'devmap_hash';
  return targets.kind === 'devices' && !targets.broadcast && program.key === 'queue';
}

function offlineCpus({ targets }: RedirectPath): number[] {
  const cpus = targets.kind === 'cpus' ? targets.spread : targets.kind === 'map' ? targets.cpus : [];
  if (cpus.length === 0) return [];
  const online = onlineCpuList();
  return cpus.filter((cpu) => !online.includes(cpu));
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
