import type { DropFilter } from '../domain/drop-filter.ts';
import type { KernelVersion } from '../domain/kernel-version.ts';
import { kernelAtLeast } from '../domain/kernel-version.ts';
import type { CountingPlan } from './counting-row.ts';

/** What a tracer on this kernel can see. */
export interface Sight {
  readonly kernel: KernelVersion;
  readonly filter: DropFilter;
  /** Names of the rows of counting-row.ts that it counts. */
  readonly rows: ReadonlySet<string>;
  /** Whether it sees the network namespaces of devices. */
  readonly namespaces: boolean;
  /** Whether it sees why frames are thrown away that have become an skb. */
  readonly skbs: boolean;
  /** Whether redirected and transmitted frames are compared. */
  readonly conserve: boolean;
}

/** Without these the kernel does not say that frames are lost in that way. */
const rowSpots: readonly (readonly [row: string, spot: string])[] = [
  ['redirect_err', 'this kernel has no event for a failed redirect'],
  ['devmap_xmit', 'this kernel has no event for frames that the driver of the target refused'],
  ['cpumap_enqueue', 'this kernel has no event for a full cpumap queue'],
  ['cpumap_kthread_xdp_drop', 'this kernel does not report what programs in cpumap entries drop'],
  ['bulk_tx', 'this kernel has no event for a failed XDP_TX'],
  ['exception', 'this kernel has no event for XDP_ABORTED'],
];

/** What no count of these events can show on this kernel, in sentences for `blind`. */
export function blindSpots({ kernel, filter, rows, namespaces, skbs, conserve }: Sight): string[] {
  const spots: string[] = [];
  if (kernelAtLeast(kernel, '5.14')) {
    spots.push(
      conserve
        ? 'a broadcast without an eligible target is reported as success: it shows only where no other frame of the same device went to several targets, and not in generic mode'
        : 'a broadcast without an eligible target is reported as success',
    );
    // dev_map_enqueue_multi() asks is_valid_dst() and goes on to the next.
    spots.push(
      'native mode: a member that a broadcast leaves out is not reported (it is down, its MTU is too small, or it cannot transmit): redirect check names it',
    );
  } else if (!conserve) {
    spots.push(
      'before Linux 5.14 what a program in a devmap entry drops is reported as success: only --conserve shows it',
    );
  }
  spots.push('a missed look-up for which the program passes XDP_PASS, XDP_DROP or XDP_TX as action has no event');
  if (!skbs) {
    spots.push(
      'generic mode: frames lost at the target (its peer down, a smaller peer MTU, an egress program) have no xdp event',
      "frames that were delivered and that the receiver's stack dropped (wrong MAC address, bad checksum) have no xdp event",
    );
  }
  spots.push('AF_XDP zero-copy: an empty fill ring shows only in the counters of the NIC');
  if (!namespaces) {
    spots.push('the events name no network namespace: an interface elsewhere with the same ifindex is counted too');
  }
  for (const [row, spot] of rowSpots) {
    // The predecessor of redirect_err has the same to say.
    if (!rows.has(row) && !(row === 'redirect_err' && rows.has('redirect_map_err'))) spots.push(spot);
  }
  if (kernelAtLeast(kernel, '5.18') && !kernelAtLeast(kernel, '6.3')) {
    spots.push('multi-buffer frames are lost without an event before Linux 6.3');
  } else if (kernelAtLeast(kernel, '6.3') && !kernelAtLeast(kernel, '6.6')) {
    spots.push('AF_XDP: multi-buffer frames are lost without an event before Linux 6.6');
  }
  if (!kernelAtLeast(kernel, '5.19')) {
    spots.push(
      'AF_XDP: before Linux 5.19 an empty fill ring, a full RX ring and a too large frame look alike, where the statistics of the socket cannot be read',
    );
  }
  if (!isEmpty(filter.progIds) || !isEmpty(filter.mapIds)) {
    spots.push('what a target refused carries no program and no map: it is attributed by the device it came from');
  }
  return spots;
}

/** What a tool cannot show that counts by the fields of tracepoints. */
export function blindSpotsOf({ rows, filter }: CountingPlan, kernel: KernelVersion): string[] {
  return blindSpots({
    kernel,
    filter,
    rows: new Set(rows.map(({ name }) => name)),
    namespaces: false,
    skbs: false,
    conserve: rows.some(({ flow }) => flow !== undefined),
  });
}

function isEmpty(list: readonly number[] | undefined): boolean {
  return list === undefined || list.length === 0;
}
