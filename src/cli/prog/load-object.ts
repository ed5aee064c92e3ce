import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { KernelRefusal, ToolError, usageError } from '../../domain/errors.ts';
import { isRedirectKind, mapTypeName } from '../../domain/map-type.ts';
import { exists } from '../../kernel/access.ts';
import { ensureBpffs, isOnBpffs } from '../../kernel/bpffs.ts';
import { cloneTargets } from '../../kernel/map-copy.ts';
import type { BpfMap } from '../../kernel/map.ts';
import { osPath } from '../../kernel/os-path.ts';
import { pinObject } from '../../kernel/pin.ts';
import { takeBackPin } from '../../kernel/pins.ts';
import type { BpfProgram } from '../../kernel/program.ts';
import { Transaction } from '../../kernel/transaction.ts';
import { pinName, UserObject, type UserObjectMap, type UserObjectProgram } from '../../kernel/user-object.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { Context } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { mapText } from '../map/map-text.ts';
import { prepareNewPin } from '../new-pin.ts';
import type { LoadRequest, Replacement } from './load-request.ts';

/** A pin that is to be made of something in the file. */
interface WantedPin {
  readonly path: string;
  /** In a sentence: `program 'forward'`. */
  readonly what: string;
  readonly kind: 'map' | 'prog';
  /** What is to be pinned, open. */
  open(): BpfMap | BpfProgram;
}

/**
 * Loads all programs of a file, and pins the first or all of them, and perhaps its maps: all of that or nothing.
 *
 * @param all pin all programs below the pin, which is a directory then
 */
export function loadObject(request: LoadRequest, all: boolean, context: Context): Outcome | undefined {
  using object = UserObject.open(request.file);
  const [first] = object.programs;
  if (first === undefined) throw usageError(`${request.file} has no program`);
  for (const program of object.programs) setType(program, request);
  const replaced = replacements(object, request, context);
  const directories = [...(all ? [request.pin] : []), ...(request.mapPins === undefined ? [] : [request.mapPins])];
  // The program last: whoever waits for its pin finds the maps.
  const pins = [
    ...(request.mapPins === undefined ? [] : mapPins(object, request.mapPins)),
    ...(all
      ? object.programs.map((program) => programPin(program, `${request.pin}/${pinName(program.name, object.path)}`))
      : [programPin(first, request.pin)]),
  ];
  const absent = new Set(directories.filter((directory) => !exists(directory)));
  for (const directory of directories) checkDirectory(directory, context);
  for (const { path } of pins) checkNewPin(path, directories, context);
  checkDistinct(pins);
  // A name with a slash would lead libbpf elsewhere.
  for (const { name, pinPath } of object.maps) if (pinPath !== undefined) pinName(name, object.path);
  const madeByLibbpf = object.maps.flatMap(({ pinPath }) =>
    pinPath === undefined || exists(pinPath) ? [] : [pinPath],
  );
  if (context.options.dryRun) {
    rehearse(object, pins, context);
    return dryRun(steps(object, request, replaced, pins, madeByLibbpf));
  }

  for (const path of madeByLibbpf) ensureBpffs(dirname(path), context.options);
  object.reusePinned();
  object.load();
  using transaction = new Transaction();
  for (const map of object.maps) {
    const { pinPath: path } = map;
    if (path === undefined || !madeByLibbpf.includes(path)) continue;
    using made = map.openMap();
    const { id } = made.info;
    transaction.onRollback(() => takeBackPin(path, 'map', id));
  }
  for (const directory of absent) makeDirectory(directory, transaction);
  for (const { path, kind, open } of pins) {
    using opened = open();
    const { id } = opened.info;
    pinObject(opened.fd, path);
    transaction.onRollback(() => takeBackPin(path, kind, id));
  }
  transaction.commit();
  context.maps.forget();
  return undefined;
}

/**
 * In a batch that is only checked, loads the programs for the lines after this one, and pins nothing. Not what the file
 * itself says is pinned: libbpf would do that.
 */
function rehearse(object: UserObject, pins: readonly WantedPin[], { maps: { rehearsal } }: Context): void {
  if (rehearsal === undefined || object.maps.some(({ pinPath }) => pinPath !== undefined)) return;
  object.load();
  for (const { path, open } of pins) rehearsal.pin(path, open(), 'scratch');
}

function setType(program: UserObjectProgram, { type }: LoadRequest): void {
  if (type !== undefined) program.setType(type.type, type.attachType);
}

/** Puts the user's maps in the place of the file's, and returns each in a sentence. */
function replacements(object: UserObject, request: LoadRequest, context: Context): string[] {
  const taken = new Set<UserObjectMap>();
  return request.replacements.map((replacement) => {
    const declared = declaredMap(object, replacement);
    if (taken.has(declared)) throw usageError(`the map '${declared.name}' of ${object.path} is given twice`);
    taken.add(declared);
    const map = context.maps.open(replacement.map);
    const { info } = map;
    const rules: [string, string | number, string | number][] = [
      ['type', mapTypeName(declared.type) ?? declared.type, info.typeName ?? info.type],
      ['size of keys', declared.keySize, info.keySize],
      ['size of values', declared.valueSize, info.valueSize],
    ];
    const [broken] = rules.filter(([, wanted, there]) => wanted !== there);
    if (broken !== undefined) {
      const [what, wanted, there] = broken;
      throw usageError(
        `${mapText(info)} cannot take the place of map '${declared.name}': its ${what} is ${there}, and the program was made for ${wanted}`,
        'type, size of keys and size of values must be those that the file declares',
      );
    }
    reuse(declared, map, context);
    return `use ${mapText(info)} as map '${declared.name}'`;
  });
}

/** Loading a program settles for good which others go with a devmap or cpumap, so what is only checked takes a copy. */
function reuse(declared: UserObjectMap, map: BpfMap, { options }: Context): void {
  if (!options.dryRun || map.info.typeName === 'xskmap' || !isRedirectKind(map.info.typeName)) {
    declared.reuse(map);
    return;
  }
  using copy = cloneTargets(map);
  declared.reuse(copy);
}

function declaredMap(object: UserObject, { of }: Replacement): UserObjectMap {
  const found =
    typeof of === 'number'
      ? object.maps[of]
      : object.maps.find(({ name, libbpfName }) => name === of || libbpfName === of);
  if (found !== undefined) return found;
  const names = object.maps.map(({ name }, index) => `${name} (idx ${index})`).join(', ');
  throw usageError(
    typeof of === 'number' ? `${object.path} has no map at position ${of}` : `${object.path} has no map '${of}'`,
    names === '' ? 'it has no maps' : `it has: ${names}`,
  );
}

function programPin(program: UserObjectProgram, path: string): WantedPin {
  return { path, what: `program '${program.name}'`, kind: 'prog', open: () => program.openProgram() };
}

/** As libbpf names them: data sections too, and no dots, which the kernel does not allow. */
function mapPins(object: UserObject, directory: string): WantedPin[] {
  return object.maps.map((map) => ({
    path: `${directory}/${pinName(map.libbpfName.replaceAll('.', '_'), object.path)}`,
    what: `map '${map.name}'`,
    kind: 'map',
    open: () => map.openMap(),
  }));
}

/** A directory that is there, or that can be made. */
function checkDirectory(path: string, context: Context): void {
  if (!ensureBpffs(path, context.options)) return;
  if (!exists(path)) {
    prepareNewPin(path, context);
    return;
  }
  if (!statSync(osPath(path)).isDirectory())
    throw new ToolError('conflict', `${path} exists already, and is no directory`);
  if (!isOnBpffs(path)) {
    throw usageError(`${path} is not in a bpffs: pins can only be made there`, 'use a path below /sys/fs/bpf');
  }
}

/** @param directories that will be there when the pin is made */
function checkNewPin(path: string, directories: readonly string[], context: Context): void {
  const directory = dirname(path);
  if (directories.includes(directory) && !exists(directory)) return;
  prepareNewPin(path, context);
}

/** Programs and maps of one file may have the same name, and the same directory. */
function checkDistinct(pins: readonly WantedPin[]): void {
  const paths = new Map<string, string>();
  for (const { path, what } of pins) {
    const other = paths.get(path);
    if (other !== undefined)
      throw usageError(`both ${other} and ${what} would be pinned at ${path}`, 'name another directory');
    paths.set(path, what);
  }
}

/** Makes a directory that was not there: whoever has made it meanwhile is pinning in it now. */
function makeDirectory(path: string, transaction: Transaction): void {
  try {
    mkdirSync(osPath(path), { mode: 0o700 });
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    throw new KernelRefusal('pin', -errno, { path });
  }
  transaction.onRollback(() => removeDirectory(path));
}

/** What others have pinned there stays. */
function removeDirectory(path: string): void {
  try {
    rmdirSync(osPath(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}

function steps(
  object: UserObject,
  { file }: LoadRequest,
  replaced: readonly string[],
  pins: readonly WantedPin[],
  madeByLibbpf: readonly string[],
): string[] {
  return [
    ...replaced,
    `load ${object.programs.map(({ name }) => `program '${name}'`).join(', ')} of ${file}`,
    ...madeByLibbpf.map((path) => `pin a map at ${path}, as the file says`),
    ...pins.map(({ path, what }) => `pin ${what} at ${path}`),
  ];
}
