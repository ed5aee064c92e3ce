import { ToolError } from './errors.ts';
import {
  builtinObject,
  type CpuEntry,
  type DeviceEntry,
  entriesOf,
  type EntryProgram,
  entryProgramText,
  mapCapacity,
  type NamedDevice,
  type PathMode,
  type PathProgram,
  pathText,
  type RedirectPath,
} from './redirect-path.ts';
import type { Typed } from './typed-command.ts';

/** A path of ours as it is now. */
export interface LivePath {
  readonly path: RedirectPath;
  /** Entries that its map of targets has room for; absent where that is not ours. */
  readonly capacity?: number;
}

/** The program that is attached to a device now. */
export interface Occupant {
  readonly mode: PathMode;
  readonly programId: number;
  readonly programName?: string;
  /** Set where the program is attached by a BPF link and the link could be found. */
  readonly linkId?: number;
  /** What it does, when `redirect attach` made it. */
  readonly own?: LivePath;
  /** It is libxdp's dispatcher, which runs these programs. */
  readonly components?: readonly ProgramName[];
}

export interface ProgramName {
  readonly id: number;
  readonly name?: string;
}

/** An entry of the map of targets that is to be another: made, changed or removed. */
export interface EntryChange {
  readonly key: number;
  readonly from?: DeviceEntry | CpuEntry;
  readonly to?: DeviceEntry | CpuEntry;
}

/** One device's part in a change. */
export type Step =
  | { readonly kind: 'attach'; readonly path: RedirectPath }
  | {
      readonly kind: 'replace';
      readonly path: RedirectPath;
      readonly old: Occupant;
      /** Frames go to the stack for a moment, because the kernel cannot swap the two in one step. */
      readonly gap: boolean;
      /** What is different about a path of ours. */
      readonly why: readonly string[];
    }
  | { readonly kind: 'update'; readonly path: RedirectPath; readonly changes: readonly EntryChange[] }
  | { readonly kind: 'detach'; readonly device: NamedDevice; readonly old: Occupant };

/** Whether what is attached may give way: nothing, paths of ours, or any program but a dispatcher. */
export type ReplacePolicy = 'nothing' | 'own' | 'any';

/**
 * What has to be done for a device to redirect as wanted; undefined when it does already.
 *
 * @param policy with `own`, what is the same already is left alone, and entries that differ are changed in place
 * @throws ToolError conflict for what may not give way
 */
export function planPath(wanted: RedirectPath, there: Occupant | undefined, policy: ReplacePolicy): Step | undefined {
  if (there === undefined) return { kind: 'attach', path: wanted };
  if (there.components !== undefined) throw dispatcherInTheWay(wanted.device, there);
  if (policy === 'nothing' || (policy === 'own' && there.own === undefined))
    throw inTheWay(wanted.device, there, policy);
  const why = there.own === undefined ? [] : differences(wanted, there.own);
  if (policy === 'own' && there.own !== undefined && why.length === 0) {
    const changes = entryChanges(wanted, there.own.path);
    if (changes === undefined) return replacement(wanted, there, ['the programs of its entries']);
    return changes.length === 0 ? undefined : { kind: 'update', path: wanted, changes };
  }
  return replacement(wanted, there, why);
}

function replacement(path: RedirectPath, old: Occupant, why: readonly string[]): Step {
  const ownLink = old.own?.path.link === true;
  const gap = old.mode !== path.mode || ownLink !== path.link || (old.linkId !== undefined && !ownLink);
  return { kind: 'replace', path, old, gap, why };
}

function inTheWay({ ifname }: NamedDevice, there: Occupant, policy: 'nothing' | 'own'): ToolError {
  const what = occupantText(there);
  const force = there.own === undefined ? ['--force', String(there.programId)] : [];
  const takeOff = ({ own }: Typed): string => `take it off first: ${own(['redirect', 'detach', ifname, ...force])}`;
  if (policy === 'own') {
    const message = `${ifname} has a program attached that xdpctl did not attach: ${what}`;
    return new ToolError('conflict', message, { hint: takeOff });
  }
  const message =
    there.own === undefined
      ? `${ifname} has ${what} attached`
      : `${ifname} redirects already, by ${what}: ${pathText(there.own.path)}`;
  return new ToolError('conflict', message, {
    hint: (typed) => `add --replace to put this redirect in its place, or ${takeOff(typed)}`,
  });
}

function dispatcherInTheWay({ ifname }: NamedDevice, there: Occupant): ToolError {
  const components = (there.components ?? []).map(({ id, name }) => (name === undefined ? `${id}` : `${name} (${id})`));
  const runs = components.length === 0 ? '' : `, which runs ${components.join(', ')}`;
  return new ToolError(
    'conflict',
    `${ifname} has libxdp's dispatcher attached (program ${there.programId})${runs}; it is never replaced`,
    {
      hint: ({ other }) =>
        `take its programs off with the tool that loaded them, e.g. ${other(['xdp-loader', 'unload', ...(ifname.startsWith('-') ? ['--all', '--', ifname] : [ifname, '--all'])])}`,
    },
  );
}

/** `program 12 (redirect) in native mode`. */
export function occupantText({ programId, programName, mode, linkId }: Occupant): string {
  const name = programName === undefined || programName === '' ? '' : ` (${programName})`;
  return `program ${programId}${name} in ${mode} mode${linkId === undefined ? '' : ` by link ${linkId}`}`;
}

/** What cannot be changed in place: all that was fixed when the program was loaded and attached. */
function differences(wanted: RedirectPath, { path: there, capacity }: LivePath): string[] {
  const list: string[] = [];
  function compare(what: string, before: string, after: string): void {
    if (before !== after) list.push(`${what}: ${before} -> ${after}`);
  }
  compare('mode', there.mode, wanted.mode);
  compare('attached by', there.link ? 'link' : 'netlink', wanted.link ? 'link' : 'netlink');
  if (there.program.kind !== wanted.program.kind || there.program.kind === 'object') {
    compare('program', programText(there), programText(wanted));
  }
  // A program of the user's may be wanted without saying anything of its maps.
  if (wanted.targets.kind !== 'own-maps') compare('targets', targetsKind(there), targetsKind(wanted));
  compare('key', keyText(there.program), keyText(wanted.program));
  compare('on a miss', missText(there.program), missText(wanted.program));
  if (list.length > 0) return list;
  const needed = mapCapacity(wanted);
  if (needed !== undefined && capacity !== undefined && needed > capacity) {
    list.push(`room for ${needed} targets: ${capacity} -> ${needed}`);
  }
  return list;
}

function programText(path: RedirectPath): string {
  const { program } = path;
  return program.kind === 'object' ? `${program.name} of ${program.file}` : builtinObject(path);
}

/** What the program that comes with the tool is loaded for: its map's type, and its flags. */
function targetsKind(path: RedirectPath): string {
  const { targets, program } = path;
  switch (targets.kind) {
    case 'devices': {
      if (program.kind === 'object') return 'devices';
      const type = builtinObject(path).replace('redirect_', '');
      if (!targets.broadcast) return type;
      return targets.excludeIngress ? `${type}, broadcast without the ingress interface` : `${type}, broadcast`;
    }
    case 'cpus':
      return `CPU ${targets.spread.join(', ')}`;
    case 'sockets':
      return 'AF_XDP sockets';
    case 'map':
      return `${targets.type} ${targets.id}${targets.cpus.length === 0 ? '' : `, CPU ${targets.cpus.join(', ')}`}`;
    case 'own-maps':
      return "the program's own maps";
  }
}

function keyText(program: PathProgram): string {
  if (program.kind === 'object') return '';
  return typeof program.key === 'string' ? program.key : String(program.key.fixed);
}

function missText(program: PathProgram): string {
  return program.kind === 'object' ? '' : program.onMiss;
}

/**
 * The entries that differ; undefined when one of them wants a program that would have to be loaded, which is done with a
 * new path.
 */
export function entryChanges(wanted: RedirectPath, there: RedirectPath): EntryChange[] | undefined {
  if (wanted.targets.kind === 'own-maps') return [];
  const [before, after] = [byKey(there), byKey(wanted)];
  const changes: EntryChange[] = [];
  for (const [key, to] of after) {
    const from = before.get(key);
    if (from !== undefined && sameEntry(from, to)) continue;
    if (to.program?.kind === 'own' && !sameProgram(from?.program, to.program)) return undefined;
    changes.push({ key, to, ...(from !== undefined && { from }) });
  }
  for (const [key, from] of before) if (!after.has(key)) changes.push({ key, from });
  return changes;
}

function byKey(path: RedirectPath): ReadonlyMap<number, DeviceEntry | CpuEntry> {
  return new Map(entriesOf(path).map((entry) => [entry.key, entry]));
}

function sameEntry(one: DeviceEntry | CpuEntry, other: DeviceEntry | CpuEntry): boolean {
  return entryNumber(one) === entryNumber(other) && sameProgram(one.program, other.program);
}

/** What the first word of the entry's value is: an ifindex or the length of a queue. */
export function entryNumber(entry: DeviceEntry | CpuEntry): number {
  return 'qsize' in entry ? entry.qsize : entry.ifindex;
}

function sameProgram(one: EntryProgram | undefined, other: EntryProgram | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.kind === 'existing' || other.kind === 'existing') {
    return one.kind === 'existing' && other.kind === 'existing' && one.id === other.id;
  }
  return one.action === other.action && one.dstMac === other.dstMac && one.srcMac === other.srcMac;
}

/** A step in words that follow "would": `attach eth0 -> eth1 in native mode`. */
export function stepTexts(step: Step): string[] {
  switch (step.kind) {
    case 'attach':
      return [`attach ${pathText(step.path)} in ${modeText(step.path)}`, ...partTexts(step.path)];
    case 'replace':
      return [
        ...(step.gap ? [`detach ${occupantText(step.old)} from ${step.path.device.ifname}`] : []),
        step.gap
          ? `attach ${pathText(step.path)} in ${modeText(step.path)}, after a gap in which frames go to the stack`
          : `replace ${occupantText(step.old)} by ${pathText(step.path)}, without a gap${reasons(step.why)}`,
        ...partTexts(step.path),
      ];
    case 'update':
      return step.changes.map((change) => `change ${step.path.device.ifname} in place: ${changeText(change)}`);
    case 'detach':
      return [`detach ${occupantText(step.old)} from ${step.device.ifname}`];
  }
}

function modeText({ mode, link }: RedirectPath): string {
  return `${mode} mode${link ? ' by a link' : ''}`;
}

function reasons(why: readonly string[]): string {
  return why.length === 0 ? '' : ` (${why.join('; ')})`;
}

/** What is made besides the attachment: entries, and pins that a file of the user's wants. */
function partTexts(path: RedirectPath): string[] {
  const pins = path.program.kind === 'object' ? (path.program.pins ?? []) : [];
  return [
    ...entriesOf(path).map((entry) => `point key ${entry.key} at ${entryText(entry)}`),
    ...pins.map((pin) => `pin a map at ${pin}, as the file says`),
  ];
}

function changeText({ key, from, to }: EntryChange): string {
  if (to === undefined) return `remove key ${key}${from === undefined ? '' : ` (${entryText(from)})`}`;
  return `point key ${key} at ${entryText(to)}${from === undefined ? '' : ` instead of ${entryText(from)}`}`;
}

function entryText(entry: DeviceEntry | CpuEntry): string {
  const target = 'qsize' in entry ? `CPU ${entry.key} with a queue of ${entry.qsize}` : entry.ifname;
  return entry.program === undefined ? target : `${target} (${entryProgramText(entry.program)})`;
}
