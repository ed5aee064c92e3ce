import { missing } from '../../domain/health/devmap.ts';
import { setRxQueues } from '../../domain/ledger/fixes.ts';
import type { LiveDevice } from '../../domain/live-system.ts';
import { builtinObject, entriesOf, type PathProgram, type RedirectPath } from '../../domain/redirect-path.ts';
import { tooManyRxQueues } from '../../domain/xdp-queues.ts';
import { locatePeer, readDevice } from '../../kernel/devices.ts';
import { openMapAs } from '../../kernel/named-objects.ts';
import { occupiedEntries } from '../../kernel/path-entries.ts';
import { PathStore, TARGETS_PIN } from '../../kernel/path-store.ts';
import type { Warning } from '../../output/reporter.ts';

type BuiltinProgram = PathProgram & { readonly kind: 'builtin' };

/**
 * Where the keys that frames are looked up by and those of the entries are not the same: keys without an entry, in the
 * words of `redirect check`, and targets that nothing comes to.
 *
 * @param path with a program that comes with the tool, and a devmap or devmap_hash
 */
export function keyWarnings(path: RedirectPath): Warning[] {
  const {
    program,
    device: { ifindex },
  } = path;
  const found = readDevice(ifindex);
  if (found === undefined || program.kind !== 'builtin') return [];
  const device = locatePeer(found);
  return [...unfilled(path, device, program), ...unreached(path, device)];
}

function unfilled(path: RedirectPath, device: LiveDevice, { key, onMiss }: BuiltinProgram): Warning[] {
  const { map, keys } = mapOf(path);
  const keySource = typeof key === 'string' ? key : { key: key.fixed };
  const user = { id: 0, mapIds: [], keySource, onMiss };
  const entries = keys.map((each) => ({ entry: { key: each }, reachable: true }));
  const [first, ...more] = missing({ device }, { map, user, entries });
  if (first === undefined) return [];
  const rest = more.length === 0 ? '' : `; the same at ${more.length} more`;
  return [{ message: `${first.sentence}${rest}`, hint: first.fix }];
}

/** The map of targets, as a sentence and a command name it, and the keys that have an entry. */
function mapOf(path: RedirectPath): { readonly map: Parameters<typeof missing>[1]['map']; readonly keys: number[] } {
  const { device, targets } = path;
  const pinned = [`${new PathStore().directory(device.ifindex)}/${TARGETS_PIN}`];
  if (targets.kind !== 'map') {
    const type = builtinObject(path).replace('redirect_', '');
    const map = { id: 0, name: TARGETS_PIN, type, maxEntries: Number.POSITIVE_INFINITY, pinned };
    return { map, keys: entriesOf(path).map(({ key }) => key) };
  }
  using opened = openMapAs(targets);
  const { id, name, maxEntries } = opened.info;
  const keys = Array.from(occupiedEntries(opened), ({ key }) => key);
  return { map: { id, name, type: targets.type, maxEntries, pinned }, keys };
}

/** Targets of queues that the device does not have. */
function unreached({ targets }: RedirectPath, device: LiveDevice): Warning[] {
  const queues = device.rxQueues ?? 1;
  const idle = targets.kind === 'devices' ? targets.entries.filter(({ key }) => key >= queues) : [];
  if (idle.length === 0) return [];
  const wanted = Math.max(...idle.map(({ key }) => key)) + 1;
  const has = queues === 1 ? 'only one receive queue' : `only ${queues} receive queues`;
  const names = idle.map(({ ifname }) => ifname).join(', ');
  const hint = tooManyRxQueues(device, wanted) ?? setRxQueues(device, wanted);
  return [{ message: `${names} ${idle.length === 1 ? 'gets' : 'get'} nothing: ${device.ifname} has ${has}`, hint }];
}
