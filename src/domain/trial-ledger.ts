import type { HealthCode } from './check-catalogue.ts';
import { type DropCounter, noMapId } from './drop-counter.ts';
import type { Finding, FindingDevice } from './finding.ts';
import type { PathProblem } from './health.ts';
import { findingsOf } from './ledger.ts';
import { netnsLabel, nameOf } from './ledger/scene.ts';
import type { LiveDevice, LiveSystem } from './live-system.ts';
import { mapLabel, type ObservedMap, type ObservedPath, programLabel } from './observed-path.ts';
import type { RedirectedFrames, TrialCounts } from './trial-counts.ts';
import { refineQuietLoss } from './trial-refine.ts';
import { xdpAction, xdpActionText } from './xdp-action.ts';

/** A loss among the frames of a test; without an event where none tells of it. */
export type TrialFinding = Omit<Finding, 'code' | 'event'> & { readonly code: HealthCode; readonly event?: string };

/** Where frames arrived: a device, a CPU or a socket. */
export interface TrialTarget {
  readonly to?: FindingDevice;
  readonly cpu?: number;
  /** Of the socket in its map. */
  readonly key?: number;
  readonly delivered: number;
}

/** sent + copies = delivered + passed + sentBack + dropped. */
export interface TrialLedger {
  readonly sent: number;
  /** That broadcasts made beyond one each; members that got none are among them, and among the dropped. */
  readonly copies: number;
  readonly delivered: number;
  /** To the network stack. */
  readonly passed: number;
  /** Out of the device they came in by. */
  readonly sentBack: number;
  readonly dropped: number;
  readonly targets: readonly TrialTarget[];
  /** What was dropped, the largest loss first. */
  readonly findings: readonly TrialFinding[];
}

/** What a test was, and what was counted. */
export interface Trial {
  readonly path: ObservedPath;
  readonly problems: readonly PathProblem[];
  readonly system: LiveSystem;
  readonly sent: number;
  /** Bytes of a frame. */
  readonly size: number;
  readonly counts: TrialCounts;
  /** What the program returned in a rehearsal; absent for programs of ours, which redirect or miss. */
  readonly action?: number | undefined;
  /** By how much the counters of refused frames of the targets rose, by ifindex; absent where a driver has none. */
  readonly refused: ReadonlyMap<number, number>;
}

/** Accounts for every frame of a test. */
export function trialLedger(trial: Trial): TrialLedger {
  const { sent, counts } = trial;
  const broadcast = broadcastOf(trial);
  const copies = broadcast.copies;
  const targets = targetsOf(trial);
  const delivered = sum(targets, ({ delivered: count }) => count);
  const sentBack = sum(toIngress(trial), ({ sent: count }) => count);
  const dropped = Math.max(0, sent + copies - delivered - counts.passed - sentBack);
  const findings = [...programLosses(trial), ...broadcast.findings, ...eventLosses(trial)];
  const explained = sum(findings, ({ count }) => count);
  return {
    sent,
    copies,
    delivered,
    passed: counts.passed,
    sentBack,
    dropped,
    targets,
    findings: [...findings, ...unexplained(trial, dropped - explained)].toSorted((a, b) => b.count - a.count),
  };
}

function sum<T>(list: readonly T[], amount: (each: T) => number): number {
  return list.reduce((total, each) => total + amount(each), 0);
}

function isHairpin({ mapId, toIfindex }: RedirectedFrames, { device }: ObservedPath): boolean {
  return mapId === noMapId && toIfindex === device.ifindex;
}

function toIngress({ path, counts }: Trial): TrialCounts['transmitted'] {
  return counts.transmitted.filter(({ toIfindex }) => toIfindex === path.device.ifindex);
}

function mapOf(mapId: number, { path }: Trial): ObservedMap | undefined {
  return path.maps.find(({ map }) => map.id === mapId);
}

/** Frames that were redirected to devices. */
function toDevices(trial: Trial): RedirectedFrames[] {
  return trial.counts.redirected.filter(({ mapId }) => {
    const type = mapOf(mapId, trial)?.map.type;
    return type !== 'cpumap' && type !== 'xskmap';
  });
}

function targetsOf(trial: Trial): TrialTarget[] {
  const { path, counts } = trial;
  const devices = counts.transmitted
    .filter(({ toIfindex, sent }) => toIfindex !== path.device.ifindex && sent > 0)
    .map(({ toIfindex, sent }) => ({ to: deviceOf(toIfindex, trial), delivered: sent }));
  const sockets = counts.redirected
    .filter(({ mapId }) => mapOf(mapId, trial)?.map.type === 'xskmap')
    .map(({ key, count }) => ({ key, delivered: count }));
  const cpus = counts.queued.map(({ mapId, cpu, frames, dropped }) => ({
    cpu,
    delivered: frames - dropped - lostOnCpu(mapId, cpu, frames - dropped, trial),
  }));
  return [...merged(devices), ...sockets, ...cpus];
}

/** One target for each device, whatever errno its driver said. */
function merged(devices: readonly { readonly to: FindingDevice; readonly delivered: number }[]): TrialTarget[] {
  const byIfindex = new Map<number, TrialTarget>();
  for (const { to, delivered } of devices) {
    byIfindex.set(to.ifindex, { to, delivered: delivered + (byIfindex.get(to.ifindex)?.delivered ?? 0) });
  }
  return [...byIfindex.values()];
}

function lostOnCpu(mapId: number, cpu: number, most: number, { counts }: Trial): number {
  const there = counts.handled.filter((each) => each.mapId === mapId && each.cpu === cpu);
  return Math.min(
    most,
    sum(there, ({ dropped, programDropped }) => dropped + programDropped),
  );
}

/** The device that a map of the path leads to, or one of its namespace. */
function targetDevice(ifindex: number, { path, system }: Trial): LiveDevice | undefined {
  const entries = path.maps.flatMap((map) => map.entries ?? []);
  return (
    entries.find(({ target }) => target?.ifindex === ifindex)?.target ??
    system.devices.find((device) => device.ifindex === ifindex && device.netns.inode === path.device.netns.inode)
  );
}

function deviceOf(ifindex: number, trial: Trial): FindingDevice {
  const device = targetDevice(ifindex, trial);
  const netns = netnsLabel(device?.netns);
  return { ifindex, ...(device !== undefined && { ifname: device.ifname }), ...(netns !== undefined && { netns }) };
}

interface Broadcast {
  readonly copies: number;
  readonly findings: readonly TrialFinding[];
}

/** A copy for each member of the map; the members that the kernel left out are losses that no event tells of. */
function broadcastOf(trial: Trial): Broadcast {
  const { path, counts } = trial;
  const observed = path.maps.find(({ user }) => user.broadcast !== undefined);
  const attempts = sum(counts.transmitted, ({ sent, dropped }) => sent + dropped);
  const all = sum(toDevices(trial), ({ count }) => count);
  if (observed === undefined) {
    if (attempts >= all) return { copies: attempts - all, findings: [] };
    // Only a broadcast without a target is redirected and never transmitted.
    const explanation = 'the frames were redirected, and no device was given them: a broadcast without a target';
    return {
      copies: 0,
      findings: attempts === 0 ? [finding(trial, 'broadcast-no-target', 'likely', all, explanation)] : [],
    };
  }
  const { map } = observed;
  const frames = sum(
    counts.redirected.filter(({ mapId }) => mapId === map.id),
    ({ count }) => count,
  );
  const members = (observed.entries ?? []).filter(({ reachable }) => reachable);
  if (members.length === 0) {
    const explanation = `${mapLabel(map)} has no member that the broadcast could go to`;
    return {
      copies: 0,
      findings:
        frames === 0 ? [] : [finding(trial, 'broadcast-no-target', 'certain', frames, explanation, { observed })],
    };
  }
  // A device may be there twice, and gets two copies then.
  const given = new Map<number, number>();
  for (const { toIfindex, sent, dropped } of counts.transmitted) {
    given.set(toIfindex, (given.get(toIfindex) ?? 0) + sent + dropped);
  }
  const findings = members.flatMap(({ entry: { ifindex = 0, key } }): TrialFinding[] => {
    const copies = Math.min(frames, given.get(ifindex) ?? 0);
    given.set(ifindex, (given.get(ifindex) ?? 0) - copies);
    return copies < frames ? [leftOut(trial, observed, { ifindex, key }, frames - copies)] : [];
  });
  return { copies: frames * (members.length - 1), findings };
}

/** What the kernel looks at before it gives a member a copy (is_valid_dst, kernel/bpf/devmap.c). */
const leavesOut: ReadonlySet<string> = new Set(['target-no-xmit', 'target-down', 'frame-exceeds-mtu']);

function leftOut(
  trial: Trial,
  observed: ObservedMap,
  { ifindex, key }: { readonly ifindex: number; readonly key: number },
  count: number,
): TrialFinding {
  const reason = trial.problems.find(
    (problem) => problem.mapId === observed.map.id && problem.key === key && leavesOut.has(problem.code),
  );
  const more = { observed, key, to: deviceOf(ifindex, trial), ...(reason?.fix !== undefined && { fix: reason.fix }) };
  if (reason !== undefined) return finding(trial, reason.code, 'certain', count, reason.sentence, more);
  const name = nameOf(targetDevice(ifindex, trial), ifindex);
  return finding(trial, 'unknown', 'likely', count, `the broadcast left ${name} out, which can receive now`, more);
}

interface More {
  readonly observed?: ObservedMap;
  readonly key?: number;
  readonly to?: FindingDevice;
  readonly fix?: string;
}

function finding(
  { path }: Trial,
  code: HealthCode,
  certainty: Finding['certainty'],
  count: number,
  explanation: string,
  { observed, key, to, fix }: More = {},
): TrialFinding {
  const { device, program } = path;
  return {
    code,
    certainty,
    count,
    from: { ifindex: device.ifindex, ifname: device.ifname },
    ...(to !== undefined && { to }),
    prog: { id: program.id, ...(program.name !== undefined && { name: program.name }) },
    ...(observed !== undefined && {
      map: {
        id: observed.map.id,
        ...(observed.map.name !== undefined && { name: observed.map.name }),
        ...(observed.map.pinned.length > 0 && { pinned: observed.map.pinned }),
      },
    }),
    ...(key !== undefined && { key }),
    explanation,
    ...(fix !== undefined && { fix }),
  };
}

/** Live frames that a program drops or aborts leave no event: they are what is left of all. */
function programLosses(trial: Trial): TrialFinding[] {
  const { path, system, sent, counts, action } = trial;
  const redirected = sum(counts.redirected, ({ count }) => count);
  const failed = counts.failed.filter(
    ({ event, progId }) => event === 'xdp_redirect_err' && progId === path.program.id,
  );
  const count = sent - counts.passed - redirected - sum(failed, (each) => each.count);
  if (count <= 0) return [];
  const isOwn = path.maps.some(({ user }) => user.onMiss !== undefined) && path.components.length === 0;
  if (!isOwn && action === xdpAction.drop) {
    return [finding(trial, 'program-drop', 'certain', count, `${programLabel(path.program)} returned XDP_DROP`)];
  }
  // Programs of ours drop nothing but what they miss.
  const returned = isOwn ? xdpAction.aborted : action;
  if (returned === undefined || returned === xdpAction.pass || returned === xdpAction.redirect) {
    const explanation = `${programLabel(path.program)} returned neither a redirect nor XDP_PASS${returned === undefined ? '' : `, unlike at first (${xdpActionText(returned)})`}`;
    return [finding(trial, 'unknown', 'likely', count, explanation)];
  }
  const counter: DropCounter = {
    event: 'xdp_exception',
    action: returned,
    count,
    fromIfindex: path.device.ifindex,
    progId: path.program.id,
  };
  return findingsOf([counter], system).map(withoutEvent);
}

function withoutEvent({ event: _event, ...rest }: Finding): TrialFinding {
  return rest;
}

/** What the tracepoints tell, in the words of `debug drops`. */
function eventLosses(trial: Trial): TrialFinding[] {
  const { path, system, counts } = trial;
  const { ifindex } = path.device;
  const hairpin = counts.redirected.some((row) => isHairpin(row, path));
  const counters: DropCounter[] = [
    ...counts.failed.map((counter) => (isHairpinError(counter, trial) ? backOut(counter, ifindex) : counter)),
    ...counts.transmitted
      .filter(({ dropped }) => dropped > 0)
      .map(({ toIfindex, errno, dropped }): DropCounter => {
        const base = { field: 'drops', count: dropped, errno, fromIfindex: ifindex } as const;
        if (hairpin && toIfindex === ifindex) return { event: 'xdp_bulk_tx', ...base };
        return { event: 'xdp_devmap_xmit', ...base, toIfindex };
      }),
    ...counts.queued
      .filter(({ dropped }) => dropped > 0)
      .map(({ mapId, cpu, dropped }): DropCounter => ({
        event: 'xdp_cpumap_enqueue',
        field: 'drops',
        count: dropped,
        mapId,
        toCpu: cpu,
      })),
    ...counts.handled.flatMap(({ mapId, cpu, dropped, programDropped }): DropCounter[] => {
      const base = { event: 'xdp_cpumap_kthread', mapId, toCpu: cpu } as const;
      return [
        ...(dropped > 0 ? [{ ...base, field: 'drops', count: dropped } as const] : []),
        ...(programDropped > 0 ? [{ ...base, field: 'xdp_drop', count: programDropped } as const] : []),
      ];
    }),
  ];
  return findingsOf(counters, system).map((each) => refineQuietLoss(each, trial));
}

/** XDP_TX of a live frame is a redirect without a map to the device it came in by. */
function isHairpinError({ event, mapId, toIfindex }: DropCounter, { path }: Trial): boolean {
  return event === 'xdp_redirect_err' && mapId === noMapId && toIfindex === path.device.ifindex;
}

function backOut({ count, errno }: DropCounter, ifindex: number): DropCounter {
  return { event: 'xdp_bulk_tx', field: 'drops', count, fromIfindex: ifindex, ...(errno !== undefined && { errno }) };
}

function unexplained(trial: Trial, count: number): TrialFinding[] {
  if (count <= 0) return [];
  return [finding(trial, 'unknown', 'likely', count, 'no event told what became of these frames')];
}
