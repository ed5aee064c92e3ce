import type { KernelVersion } from '../domain/kernel-version.ts';
import { kernelAtLeast } from '../domain/kernel-version.ts';
import type { CountingPlan } from './counting-row.ts';

/** What no count of these tracepoints can show on this kernel, in sentences for `blind`. */
export function blindSpots(plan: CountingPlan, kernel: KernelVersion): string[] {
  const { rows, missing, filter } = plan;
  const has = (name: string): boolean => rows.some((row) => row.name === name);
  const spots = [
    'a broadcast without an eligible target is reported as success',
    'a missed look-up for which the program passes XDP_PASS, XDP_DROP or XDP_TX as action has no event',
    'generic mode: frames lost at the target (its peer down, a smaller peer MTU, an egress program) have no xdp event',
    "frames that were delivered and that the receiver's stack dropped (wrong MAC address, bad checksum) have no xdp event",
    'AF_XDP zero-copy: an empty fill ring shows only in the counters of the NIC',
    'the events name no network namespace: an interface elsewhere with the same ifindex is counted too',
  ];
  if (!has('redirect_err') && !has('redirect_map_err')) spots.push('this kernel has no event for a failed redirect');
  if (!has('devmap_xmit')) spots.push('this kernel has no event for frames that the driver of the target refused');
  if (!has('cpumap_enqueue')) spots.push('this kernel has no event for a full cpumap queue');
  if (!has('cpumap_kthread_xdp_drop')) spots.push('this kernel does not report what programs in cpumap entries drop');
  if (!has('bulk_tx')) spots.push('this kernel has no event for a failed XDP_TX');
  if (missing.includes('exception')) spots.push('this kernel has no event for XDP_ABORTED');
  if (kernelAtLeast(kernel, '5.18') && !kernelAtLeast(kernel, '6.3')) {
    spots.push('multi-buffer frames are lost without an event before Linux 6.3');
  }
  if (!kernelAtLeast(kernel, '5.19')) {
    spots.push('AF_XDP: before Linux 5.19 an empty fill ring, a full RX ring and a too large frame look alike');
  }
  if (!isEmpty(filter.progIds) || !isEmpty(filter.mapIds)) {
    spots.push('what a target refused carries no program and no map: it is attributed by the device it came from');
  }
  return spots;
}

function isEmpty(list: readonly number[] | undefined): boolean {
  return list === undefined || list.length === 0;
}
