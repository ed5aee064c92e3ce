import { CPUMAP_MAX_QSIZE } from './cpumap.ts';
import { usageError } from './errors.ts';
import type { MissAction } from './redirect-config.ts';

/*
 * A redirect path as people write it, by names: the options of `redirect attach`, and an element of `redirects` in the
 * document of `redirect apply`. The keys are the document's; the options have the same names with dashes.
 */

export interface TargetWish {
  readonly dev: string;
  /** Absent where it follows from the path's own key. */
  readonly key?: number | undefined;
  readonly egress?: string | undefined;
  readonly dst_mac?: string | undefined;
  readonly src_mac?: string | undefined;
}

export interface CpuWish {
  readonly cpu: number;
  readonly qsize?: number | undefined;
  readonly prog?: string | undefined;
}

export interface PathWish {
  readonly dev: string;
  readonly to?: readonly (string | TargetWish)[] | undefined;
  readonly broadcast?: boolean | undefined;
  readonly exclude_ingress?: boolean | undefined;
  readonly egress?: string | undefined;
  readonly dst_mac?: string | undefined;
  readonly src_mac?: string | undefined;
  readonly cpus?: readonly (number | CpuWish)[] | undefined;
  readonly qsize?: number | undefined;
  readonly prog?: string | undefined;
  readonly xsk?: boolean | undefined;
  readonly map?: string | undefined;
  readonly object?: string | undefined;
  readonly program?: string | undefined;
  readonly key?: 'ingress' | 'queue' | number | undefined;
  readonly on_miss?: MissAction | undefined;
  readonly mode?: 'native' | 'generic' | undefined;
  readonly link?: boolean | undefined;
}

/** Frames that a CPU's queue holds when nothing else is said. */
export const DEFAULT_QSIZE = 2048;

type Name = keyof PathWish;

/** How a property is called where the user wrote it: `--on-miss` or `on_miss`. */
export type Spelling = (name: Name | 'both') => string;

export const asOption: Spelling = (name) => `--${name.replaceAll('_', '-')}`;
export const asKey: Spelling = (name) => `"${name}"`;

/**
 * Refuses what contradicts itself, naming the rule.
 *
 * @throws ToolError usage
 */
export function checkWish(wish: PathWish, say: Spelling): void {
  checkTargetKind(wish, say);
  const targets = wish.to?.map(asTarget) ?? [];
  needs(wish, say, ['broadcast', 'egress', 'dst_mac', 'src_mac'], 'to');
  needs(wish, say, ['exclude_ingress'], 'broadcast');
  needs(wish, say, ['qsize', 'prog'], 'cpus');
  needs(wish, say, ['program'], 'object');
  excludes(wish, say, 'egress', ['dst_mac', 'src_mac'], 'they rewrite in an egress program of their own');
  excludes(wish, say, 'broadcast', ['key'], 'a broadcast ignores the key');
  excludes(wish, say, 'broadcast', ['on_miss'], 'a broadcast misses nothing');
  excludes(wish, say, 'broadcast', ['object'], 'whether to broadcast is for the program to decide');
  excludes(wish, say, 'object', ['on_miss'], "what happens on a miss is for the program's own code to decide");
  excludes(wish, say, 'cpus', ['key'], 'the CPU is chosen by the flow');
  if (wish.xsk === true && wish.key === 'ingress') {
    throw usageError(`${say('key')} ingress does not go with ${say('xsk')}: a socket is bound to a queue`);
  }
  if (wish.broadcast === true) checkUnique(targets);
  else if (wish.object !== undefined) checkKeyed(wish, targets, say);
  else checkSeveral(wish, targets, say);
  for (const cpu of wish.cpus ?? []) checkQsize(typeof cpu === 'number' ? wish.qsize : (cpu.qsize ?? wish.qsize));
  for (const mac of [wish, ...targets].flatMap(({ dst_mac, src_mac }) => [dst_mac, src_mac])) checkMac(mac);
  for (const target of targets) {
    if (target.egress !== undefined && (target.dst_mac ?? target.src_mac) !== undefined) {
      throw usageError(
        `the target ${target.dev} has both an egress program and MAC addresses, which need one of their own`,
      );
    }
  }
}

function checkTargetKind(wish: PathWish, say: Spelling): void {
  const kinds = (['to', 'cpus', 'xsk', 'map'] as const).filter((name) => isSet(wish, name));
  const [first, second] = kinds;
  if (second !== undefined && first !== undefined)
    throw usageError(`${say(first)} and ${say(second)} exclude each other`);
  if (first === undefined && wish.object === undefined) {
    throw usageError(
      'the target is missing',
      `name one with ${say('to')}, ${say('cpus')}, ${say('xsk')} or ${say('map')}, or a program of your own with ${say('object')}`,
    );
  }
  if (wish.to?.length === 0 || wish.cpus?.length === 0) throw usageError(`${say(first ?? 'to')} names nothing`);
}

function isSet(wish: PathWish, name: Name): boolean {
  return wish[name] !== undefined && wish[name] !== false;
}

function needs(wish: PathWish, say: Spelling, names: readonly Name[], needed: Name): void {
  if (isSet(wish, needed)) return;
  const given = names.find((name) => isSet(wish, name));
  if (given !== undefined) throw usageError(`${say(given)} goes with ${say(needed)} only`);
}

function excludes(wish: PathWish, say: Spelling, one: Name, others: readonly Name[], because: string): void {
  if (!isSet(wish, one)) return;
  const given = others.find((name) => isSet(wish, name));
  if (given !== undefined) throw usageError(`${say(given)} does not go with ${say(one)}: ${because}`);
}

/** Only the user knows what a program of theirs looks up. */
function checkKeyed(wish: PathWish, targets: readonly TargetWish[], say: Spelling): void {
  if (wish.key !== undefined || targets.every(({ key }) => key !== undefined)) return;
  throw usageError(
    `${say('to')} with ${say('object')} needs ${say('key')}`,
    'it says under which key the program looks for its target: ingress, queue or a number',
  );
}

/** Several targets need something that tells them apart. */
function checkSeveral(wish: PathWish, targets: readonly TargetWish[], say: Spelling): void {
  const unkeyed = targets.filter(({ key }) => key === undefined);
  if (unkeyed.length < 2 || wish.key === 'queue') return;
  throw usageError(
    `${unkeyed.length} targets, and nothing says which frames go where`,
    `${say('broadcast')} sends each frame to all of them, ${say('key')} queue those of receive queue i to the i-th`,
  );
}

function checkUnique(targets: readonly TargetWish[]): void {
  const seen = new Set<string>();
  for (const { dev } of targets) {
    if (seen.has(dev)) throw usageError(`the target ${dev} is named twice`);
    seen.add(dev);
  }
}

function checkQsize(qsize: number | undefined): void {
  if (qsize === undefined || (Number.isInteger(qsize) && qsize >= 1 && qsize <= CPUMAP_MAX_QSIZE)) return;
  throw usageError(`qsize ${qsize} is out of range: 1 to ${CPUMAP_MAX_QSIZE}`);
}

function checkMac(mac: string | undefined): void {
  if (mac === undefined || /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac)) return;
  throw usageError(`'${mac}' is no MAC address`, 'six bytes in hexadecimal: 02:00:00:00:00:01');
}

/** A target with its properties, also where only its name was given. */
export function asTarget(target: string | TargetWish): TargetWish {
  return typeof target === 'string' ? { dev: target } : target;
}
