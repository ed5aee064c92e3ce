import { noMapId } from '../drop-counter.ts';
import type { Evidence } from '../evidence.ts';
import type { FlowCounter } from '../flow-counter.ts';
import type { LiveDevice, LiveMap, LiveSystem } from '../live-system.ts';
import { targetProblems } from '../target-health.ts';
import { droppedEarly, hasEgress, runsEgressEarly, withIllegalAction } from './early-egress.ts';
import { writeDevice } from './fixes.ts';
import type { Loss } from './loss.ts';
import { membersOf } from './member.ts';
import { nameOf, type Scene, sceneOf } from './scene.ts';
import { certain, likely, type Verdict } from './verdict.ts';

/*
 * A broadcast for which no member of the map is eligible is reported as success (dev_map_enqueue_multi() returns 0): the
 * frames are missing from those that had a target. In generic mode nothing tells of targets, so nothing can be missing.
 */

/**
 * The broadcasts that went nowhere: frames redirected from a device less those that had a target.
 * @param losses what is known already
 */
export function lostBroadcasts(system: LiveSystem, { flows = [] }: Evidence, losses: readonly Loss[]): Loss[] {
  const origins = new Map<string, FlowCounter[]>();
  for (const flow of flows) {
    const key = `${flow.fromIfindex} ${flow.netns}`;
    origins.set(key, [...(origins.get(key) ?? []), flow]);
  }
  return [...origins.values()].flatMap((flowsFrom) => lostFrom(flowsFrom, system, losses) ?? []);
}

function lostFrom(flows: readonly FlowCounter[], system: LiveSystem, losses: readonly Loss[]): Loss | undefined {
  const redirected = flows.filter((flow) => flow.kind === 'redirected' && leadsToDevice(flow, system));
  const maps = new Set(redirected.flatMap(({ mapId }) => mapId ?? []));
  const reported = runsEgressEarly(system) ? withIllegalAction(maps, losses, system) : 0;
  const count = sum(redirected) - sum(flows.filter(({ kind }) => kind === 'transmitted')) - reported;
  const [flow] = redirected.toSorted((a, b) => likelihood(b, system) - likelihood(a, system));
  if (flow === undefined || count <= 0) return undefined;
  const { fromIfindex, netns, mapId, progId } = flow;
  const place = netns === undefined ? {} : { netns };
  const counter = { event: 'xdp_redirect' as const, count, fromIfindex, ...place, errno: 0 };
  const named = { ...counter, ...(mapId !== undefined && { mapId }), ...(progId !== undefined && { progId }) };
  return sceneOf(named, system).from?.xdpMode === 'generic' ? undefined : { counter: named };
}

function sum(flows: readonly FlowCounter[]): number {
  return flows.reduce((total, { count }) => total + count, 0);
}

/** Of cpumaps and xskmaps it is known without comparing what becomes of the frames. */
function leadsToDevice({ mapId = noMapId }: FlowCounter, { maps }: LiveSystem): boolean {
  if (mapId === noMapId) return true;
  const type = maps.get(mapId)?.type;
  return type === 'devmap' || type === 'devmap_hash';
}

/** Through which of several maps broadcasts went nowhere. */
function likelihood({ mapId, progId }: FlowCounter, system: LiveSystem): number {
  const map = system.maps.get(mapId ?? noMapId);
  if (map === undefined) return 0;
  if (runsEgressEarly(system)) return hasEgress(map) ? 1 : 0;
  const eligible = candidates(map, undefined, system).filter(({ problem }) => problem === undefined).length;
  return (eligible === 0 ? 2 : 1) + (system.programs.get(progId ?? 0)?.broadcast === undefined ? 0 : 2);
}

/** The verdict on broadcasts that went nowhere. */
export function lostBroadcast(scene: Scene): Verdict {
  const { map, from, counter, program, system } = scene;
  if (runsEgressEarly(system)) return droppedEarly(scene);
  const who = nameOf(from, counter.fromIfindex);
  if (map === undefined) return likely('broadcast-no-target', `frames from ${who} were redirected and had no target`);
  const members = candidates(map, from, system, program?.broadcast?.excludeIngress === true);
  const reasons = members.flatMap(({ problem }) => problem?.sentence ?? []);
  const name = `the ${map.type} ${map.name ?? map.id}`;
  const start = `frames from ${who} were to go to every member of ${name}`;
  const [first] = members;
  if (first === undefined) {
    return certain('broadcast-no-target', `${start}, which has none`, { fix: writeDevice(map, undefined, from) });
  }
  const fix = first.problem?.fix ?? writeDevice(map, undefined, from);
  if (reasons.length === members.length) {
    return certain('broadcast-no-target', `${start}, and none could take them: ${reasons.join('; ')}`, { fix });
  }
  return likely('broadcast-no-target', `${start}, and none could take them then; some can now`);
}

interface Candidate {
  readonly problem: { readonly sentence: string; readonly fix?: string | undefined } | undefined;
}

/** The devices of a map, with what keeps each from getting broadcasts (is_valid_dst()). */
function candidates(map: LiveMap, from: LiveDevice | undefined, system: LiveSystem, exclude = false): Candidate[] {
  return membersOf(map, from, system).map(({ entry, device }) => {
    if (device === undefined) return { problem: undefined };
    if (exclude && device === from) {
      return { problem: { sentence: `${nameOf(device, entry.ifindex)} is where they came from` } };
    }
    const approach = from === undefined ? {} : { ingressMtu: from.mtu };
    return { problem: targetProblems(device, approach).find(({ code }) => ineligible.has(code)) };
  });
}

/** What a frame sent to one device is reported lost for, a broadcast passes over. */
const ineligible: ReadonlySet<string> = new Set(['target-no-xmit', 'target-down', 'frame-exceeds-mtu']);
