import type { LiveMap, LiveProgram } from '../live-system.ts';
import { isIndexed } from '../map-type.ts';
import { xdpAction, xdpActionText } from '../xdp-action.ts';
import { bindSocket, writeDevice, writeQueue } from './fixes.ts';
import { notUnderstood } from './redirect-error.ts';
import { cpumapsWith, egressMaps, nameOf, redirectMaps, type Scene } from './scene.ts';
import { certain, likely, type Verdict } from './verdict.ts';

/** xdp_exception: a program's return value that loses the frame. Of a map or a key it says nothing. */
export function exception(scene: Scene): Verdict {
  const { counter, system, program } = scene;
  const action = counter.action ?? xdpAction.aborted;
  const who = program?.name ?? `program ${counter.progId}`;
  // Nothing is wrong with these two; a driver that reports them has its own reason.
  if (action === xdpAction.drop || action === xdpAction.pass) {
    return notUnderstood(`the driver reports ${xdpActionText(action)}, which ${who} returned, as an exception`);
  }
  const [devmap] = egressMaps(counter.progId, system);
  if (devmap !== undefined) return badEgress(scene, devmap, who, action);
  const [cpumap] = cpumapsWith(counter.progId, system);
  if (cpumap !== undefined && action !== xdpAction.redirect) {
    return certain('cpumap-program-drop', `${who}, in a cpumap entry, returned ${xdpActionText(action)}`, {
      mapId: cpumap.id,
      ...cpuOf(counter.progId, cpumap),
    });
  }
  switch (action) {
    case xdpAction.aborted:
      return scene.proof?.kind === 'missed' ? counted(scene, scene.proof.key, who) : aborted(scene, who);
    case xdpAction.tx:
      return failedTransmit(scene, who);
    case xdpAction.redirect:
      return notUnderstood(`the driver reports that a redirect by ${who} failed, and the kernel does not say why`);
    default:
      return certain('unknown-action', `${who} returned ${action}, which is no XDP action`);
  }
}

/** The CPU on which the program runs, where it is in one entry only. */
function cpuOf(progId: number | undefined, { entries = [] }: LiveMap): { key?: number; cpu?: number } {
  const [entry, ...others] = entries.filter((each) => each.progId === progId);
  return entry === undefined || others.length > 0 ? {} : { key: entry.key, cpu: entry.key };
}

/** Only XDP_PASS and XDP_DROP are legal in a devmap entry; the event names the target as its device. */
function badEgress({ counter }: Scene, map: LiveMap, who: string, action: number): Verdict {
  const entry = map.entries?.find(({ progId }) => progId === counter.progId);
  const explanation = `${who}, in a devmap entry, returned ${xdpActionText(action)}: only XDP_PASS and XDP_DROP are legal there`;
  return certain('egress-program-bad-action', explanation, {
    mapId: map.id,
    key: entry?.key,
    fromIfindex: 0,
    toIfindex: counter.fromIfindex,
  });
}

/** XDP_TX: back out of the same device, or, in generic mode, out of the target that another device redirects to. */
function failedTransmit({ counter, from, system }: Scene, who: string): Verdict {
  const here = nameOf(from, counter.fromIfindex);
  const attachedHere = from?.progIds.includes(counter.progId ?? 0) === true;
  const elsewhere = system.devices.find((device) => device.progIds.includes(counter.progId ?? 0));
  if (!attachedHere && elsewhere !== undefined) {
    return certain(
      'tx-queue-stopped',
      `the transmit queue of ${here} was stopped when ${who} redirected frames to it in generic mode`,
      {
        fromIfindex: elsewhere.ifindex,
        from: elsewhere,
        toIfindex: counter.fromIfindex,
      },
    );
  }
  return likely('tx-hairpin-failed', `${who} returned XDP_TX, and ${here} could not send the frame back`);
}

/** A program of ours counts what it looks up in vain. */
function counted(scene: Scene, key: number, who: string): Verdict {
  const { program, system } = scene;
  const [map] = redirectMaps(program, system);
  if (map === undefined) {
    return certain('map-miss', `${who} looked up key ${key} in vain, as it counted itself`, { key });
  }
  const entry = map.entries?.find((candidate) => candidate.key === key);
  const name = mapName(map);
  const fix = { mapId: map.id, key, fix: entry === undefined ? fill(map, key, scene) : undefined };
  if (entry !== undefined) {
    return certain('map-miss', `${name} had no entry at key ${key} when the frames came; it has one now`, fix);
  }
  return certain('map-miss', `${name} has no entry at key ${key}${emptiness(map)}${formerly(map, key, scene)}`, fix);
}

function emptiness({ entries }: LiveMap): string {
  return entries?.length === 0 ? ', and none at all' : '';
}

/** What the key held before frames were counted: an entry that went since, most often together with its device. */
function formerly(map: LiveMap, key: number, { before }: Scene): string {
  const entry = before?.maps.get(map.id)?.entries?.find((candidate) => candidate.key === key);
  if (entry === undefined) return '';
  const device = before?.devices.find(({ ifindex }) => ifindex === entry.ifindex);
  if (map.type === 'xskmap') return '; the AF_XDP socket that was there has been closed';
  if (device === undefined) return '; it had one when counting began';
  return `; it held ${nameOf(device, device.ifindex)} when counting began: the kernel removes the entry of a device that goes or moves to another network namespace`;
}

interface Miss {
  readonly map: LiveMap;
  readonly key: number | undefined;
  readonly explanation: string;
  readonly proven: boolean;
}

/** XDP_ABORTED of a program on a device: most often a missed look-up. */
function aborted(scene: Scene, who: string): Verdict {
  const { program, system } = scene;
  if (program === undefined) {
    return likely(
      'program-aborted',
      `${who} returned XDP_ABORTED; it is gone, so whether a look-up had failed cannot be told`,
    );
  }
  const maps = redirectMaps(program, system);
  if (maps.length === 0) {
    const explanation = `${who} returned XDP_ABORTED for a reason of its own: it uses no redirect map`;
    return program.mapIds.every((id) => system.maps.has(id))
      ? certain('program-aborted', explanation)
      : likely('program-aborted', explanation);
  }
  const misses = maps.flatMap((map) => missIn(map, program, scene) ?? []);
  const [miss] = misses;
  if (miss === undefined) {
    const names = maps.map(mapName).join(', ');
    const explanation = `${who} returned XDP_ABORTED although ${names} has its entries: a key outside the map, an entry that came later, or a reason of its own`;
    return likely('program-aborted', explanation);
  }
  const verdict = miss.proven && misses.length === 1 ? certain : likely;
  return verdict('map-miss', miss.explanation, {
    mapId: miss.map.id,
    key: miss.key,
    fix: fill(miss.map, miss.key, scene),
  });
}

/** Whether, and at which key, a look-up in the map finds nothing now. */
function missIn(map: LiveMap, program: LiveProgram, scene: Scene): Miss | undefined {
  const known = keyOf(program, scene);
  // A map keyed by ifindex is what a hash is for; a foreign program may do otherwise.
  const key = known ?? (map.type === 'devmap_hash' ? scene.counter.fromIfindex : undefined);
  const name = mapName(map);
  const { entries } = map;
  if (entries === undefined) {
    return {
      map,
      key,
      proven: false,
      explanation: `a look-up in ${name} may have found nothing: its entries cannot be read`,
    };
  }
  if (key !== undefined) {
    if (entries.some((entry) => entry.key === key)) return undefined;
    const explanation = `${name} has no entry at key ${key}${emptiness(map)}${formerly(map, key, scene)}`;
    return { map, key, proven: known !== undefined, explanation };
  }
  const empty = isIndexed(map.type) ? map.maxEntries - entries.length : undefined;
  if (empty === 0) return undefined;
  const filled = entries.length === 0 ? 'has no entry at all' : `has ${entries.length} entries, and is empty elsewhere`;
  const only = empty === 1 ? firstFree(map) : undefined;
  return {
    map,
    key: only,
    proven: false,
    explanation: `${name} ${filled}; a look-up that finds nothing gives XDP_ABORTED`,
  };
}

/** The key that a program of ours looks up for these frames. */
function keyOf({ keySource }: LiveProgram, { counter, from }: Scene): number | undefined {
  if (keySource === undefined) return undefined;
  if (keySource === 'ingress') return counter.fromIfindex;
  if (keySource === 'queue') return from?.rxQueues === 1 ? 0 : undefined;
  return keySource.key;
}

function firstFree({ maxEntries, entries = [] }: LiveMap): number | undefined {
  const taken = new Set(entries.map(({ key }) => key));
  for (let key = 0; key < maxEntries; key += 1) if (!taken.has(key)) return key;
  return undefined;
}

function fill(map: LiveMap, key: number | undefined, { from }: Scene): string {
  if (map.type === 'cpumap') return writeQueue(map, key, 2048);
  return map.type === 'xskmap' ? bindSocket(map, key, from) : writeDevice(map, key, from);
}

function mapName({ name, type, id }: LiveMap): string {
  return name === undefined ? `the ${type} ${id}` : `the ${type} ${name}`;
}
