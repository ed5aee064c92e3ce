import { addUpCounters, type DropCounter } from './drop-counter.ts';
import { type DropFilter, isAskedFor } from './drop-filter.ts';
import { errnoName } from './errno.ts';
import type { Evidence } from './evidence.ts';
import type { Finding, FindingDevice, FindingMap, FindingProgram } from './finding.ts';
import { kernelAtLeast } from './kernel-version.ts';
import { isBroadcastError } from './ledger/broadcast-error.ts';
import { lostBroadcast, lostBroadcasts } from './ledger/broadcast.ts';
import { withoutDoubles } from './ledger/double-count.ts';
import { divideSocketLosses } from './ledger/early-socket.ts';
import { exception } from './ledger/exception.ts';
import { freedSkbs } from './ledger/freed-skb.ts';
import type { Loss } from './ledger/loss.ts';
import { divideMisses } from './ledger/missed-key.ts';
import { withProvenMaps } from './ledger/proven-map.ts';
import { divideQuietLosses } from './ledger/quiet-loss.ts';
import { notUnderstood, queueFull, redirectError } from './ledger/redirect-error.ts';
import { cpumapsWith, egressMaps, namesMap, nameOf, netnsLabel, type Scene, sceneOf } from './ledger/scene.ts';
import { freedSkb, skbProof } from './ledger/skb-verdict.ts';
import { cannotTransmit, hairpin, isDown, lostQuietly, notTaken, ringFull } from './ledger/target.ts';
import { certain, likely, type Verdict } from './ledger/verdict.ts';
import type { LiveDevice, LiveSystem } from './live-system.ts';

/**
 * What became of the lost frames: joins the counters with the live system, takes out what the kernel reports twice, and
 * gives one verdict for each cause and place, the largest loss first.
 */
export function findingsOf(
  counters: readonly DropCounter[],
  snapshot: LiveSystem,
  filter: DropFilter = {},
  evidence: Evidence = {},
): readonly Finding[] {
  const system = withProvenMaps(snapshot, counters);
  // Doubles first: the other report of the same frame may be one that is not asked for.
  const losses = withoutDoubles(placeSkbs(addUpCounters(counters), system, evidence), system);
  const divided = divideSocketLosses(divideQuietLosses(losses, system, evidence), system, evidence);
  const proven = divideMisses(divided, evidence);
  const asked = [...proven, ...lostBroadcasts(system, evidence, proven)].filter(({ counter, double }) =>
    isAskedFor(counter, filter, system, double),
  );
  const findings = asked.map(({ counter, proof }) => findingOf(sceneOf(counter, system, proof, evidence.before)));
  return mergeAlike(findings).toSorted((a, b) => b.count - a.count);
}

/** All lost frames of the findings. */
export function totalOf(findings: readonly Finding[]): number {
  return findings.reduce((sum, { count }) => sum + count, 0);
}

/** The frames that became an skb are only those that had been redirected. */
function placeSkbs(counters: readonly DropCounter[], system: LiveSystem, evidence: Evidence): Loss[] {
  return counters.flatMap((counter): Loss[] => {
    if (counter.event !== 'kfree_skb') return [{ counter }];
    const freed = freedSkbs(counter, system, evidence);
    return freed === undefined ? [] : [{ counter: freed.counter, proof: skbProof(freed, evidence) }];
  });
}

function verdictOn(scene: Scene): Verdict {
  switch (scene.counter.event) {
    case 'xdp_redirect_err':
    case 'xdp_redirect_map_err':
      return redirectError(scene);
    case 'xdp_exception':
      return exception(scene);
    case 'xdp_devmap_xmit':
      return refusedByDriver(scene);
    case 'xdp_cpumap_enqueue':
      return queueFull(scene.map, scene.counter.toCpu);
    case 'xdp_cpumap_kthread':
      return lostOnCpu(scene);
    case 'xdp_bulk_tx':
      return hairpin(scene);
    case 'kfree_skb':
      return freedSkb(scene);
    case 'xdp_redirect':
      return lostBroadcast(scene);
  }
}

function refusedByDriver(scene: Scene): Verdict {
  const errno = scene.counter.errno ?? 0;
  if (errno === 0) return lostQuietly(scene);
  switch (errnoName(errno)) {
    case 'ENOSPC':
    case 'EBUSY':
      return ringFull(scene);
    case 'EOPNOTSUPP':
      return cannotTransmit(scene);
    case 'ENETDOWN':
      return scene.to?.up === false ? isDown(scene) : notTaken(scene);
    case 'ENXIO':
    case 'EINVAL':
      return notTaken(scene);
    default:
      return notUnderstood(`the driver of ${nameOf(scene.to, scene.counter.toIfindex)} refused the frames`);
  }
}

function lostOnCpu({ counter, map, system }: Scene): Verdict {
  const cpu = counter.toCpu;
  const where = { mapId: map?.id, key: cpu, cpu };
  if (counter.field !== 'xdp_drop') {
    const noMemory = `CPU ${cpu} had no memory for the frames`;
    if (kernelAtLeast(system.kernel, '5.14')) return certain('cpumap-alloc-failed', noMemory, where);
    // Before, cpu_map_kthread_run() also counts what netif_receive_skb_core() says is dropped.
    return likely(
      'unknown',
      `${noMemory}, or its network stack dropped them: before Linux 5.14 both look alike`,
      where,
    );
  }
  const progId = map?.entries?.find(({ key }) => key === cpu)?.progId;
  const name = progId === undefined ? 'the program' : (system.programs.get(progId)?.name ?? `program ${progId}`);
  return certain('cpumap-program-drop', `${name} in the entry of CPU ${cpu} did not pass the frames on`, where);
}

function findingOf(scene: Scene): Finding {
  const { counter, system } = scene;
  const verdict = verdictOn(scene);
  const errno = counter.errno === undefined || counter.errno === 0 ? undefined : counter.errno;
  const mapId = verdict.mapId ?? (namesMap(counter) ? counter.mapId : undefined);
  // That of a broadcast has nothing to do with the key and the target that the event names.
  const named = isBroadcastError(scene) ? {} : { key: counter.mapIndex, toIfindex: counter.toIfindex };
  const key = verdict.key ?? (namesMap(counter) ? named.key : undefined);
  return withoutUndefined({
    code: verdict.code,
    certainty: verdict.certainty,
    count: counter.count,
    event: counter.event,
    errno,
    errnoName: errno === undefined ? undefined : errnoName(errno),
    from: device(verdict.fromIfindex ?? counter.fromIfindex, verdict.from, scene, system),
    to: device(verdict.toIfindex ?? named.toIfindex, verdict.to, scene, system),
    prog: program(counter.progId, system),
    map: mapId === undefined ? undefined : describeMap(mapId, system),
    key,
    cpu: verdict.cpu,
    explanation: verdict.explanation,
    fix: verdict.fix,
  });
}

function device(
  ifindex: number | undefined,
  better: LiveDevice | undefined,
  { from, to, counter, before }: Scene,
  system: LiveSystem,
): FindingDevice | undefined {
  if (ifindex === undefined || ifindex === 0) return undefined;
  // One that has gone meanwhile keeps its name.
  const known: LiveDevice | undefined =
    [better, from, to].find((candidate) => candidate?.ifindex === ifindex) ??
    findDevice(ifindex, counter.netns, system) ??
    (before && findDevice(ifindex, counter.netns, before));
  return withoutUndefined({ ifindex, ifname: known?.ifname, netns: netnsLabel(known?.netns) });
}

/** @param netns undefined where it is not known */
function findDevice(ifindex: number, netns: number | undefined, { devices }: LiveSystem): LiveDevice | undefined {
  return devices.find(
    (candidate) => candidate.ifindex === ifindex && (netns === undefined || candidate.netns.inode === netns),
  );
}

function program(id: number | undefined, system: LiveSystem): FindingProgram | undefined {
  if (id === undefined || id === 0) return undefined;
  return withoutUndefined({ id, name: system.programs.get(id)?.name, role: roleOf(id, system) });
}

/** A program is loaded for one of these (expected_attach_type); undefined where it is nowhere now. */
function roleOf(id: number, system: LiveSystem): FindingProgram['role'] {
  if (egressMaps(id, system).length > 0) return 'egress';
  if (cpumapsWith(id, system).length > 0) return 'cpumap';
  const isAttached = system.devices.some(({ progIds }) => progIds.includes(id));
  return isAttached ? 'ingress' : undefined;
}

function describeMap(id: number, system: LiveSystem): FindingMap {
  const map = system.maps.get(id);
  const pinned = map === undefined || map.pinned.length === 0 ? undefined : map.pinned;
  return withoutUndefined({ id, name: map?.name, pinned });
}

/** The same verdict about the same place, seen by several CPUs. */
function mergeAlike(findings: readonly Finding[]): Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const key = JSON.stringify({ ...finding, count: 0 });
    const known = merged.get(key);
    merged.set(key, known === undefined ? finding : { ...known, count: known.count + finding.count });
  }
  return [...merged.values()];
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The object without the keys whose value is undefined: JSON leaves out what is not known. */
function withoutUndefined<T extends object>(object: T): Given<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Given<T>;
}
