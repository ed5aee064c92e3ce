import { constants, lstatSync, readdirSync, readlinkSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';

import { textOfBytes } from '../domain/byte-text.ts';
import { KernelRefusal, ToolError } from '../domain/errors.ts';
import { encodeInteger } from '../domain/integer.ts';
import { mapTypeNumber } from '../domain/map-type.ts';
import { shellCommand } from '../domain/shell-quote.ts';
import { accessError, exists, isAbsence } from './access.ts';
import { BPFFS_STANDARD, bpffsMounts } from './bpffs-path.ts';
import { EACCES, ENOENT, EPERM } from './check.ts';
import { BPF_ANY, BpfMap } from './map.ts';
import { currentNetnsInode } from './namespaces.ts';
import { osPath } from './os-path.ts';
import { openPin } from './pin.ts';
import { BpfProgram } from './program.ts';

/*
 * What `redirect attach` keeps in the kernel for a device: one directory of pins,
 *
 *     <bpffs>/xdpctl/<inode of the network namespace>_<ifindex>/
 *         prog                 the program that is attached
 *         targets              the map it redirects through
 *         counters, config     its counters and its read-only data, when it comes with the tool
 *         link                 the link by which it is attached, with --link
 *         egress/N/…           programs of ours in the entries of targets: prog, counters, config
 *         maps/NAME            the maps of a program of the user's
 *         declared/NAME        symbolic links: where else they are pinned, because the file says so (LIBBPF_PIN_BY_NAME)
 *         device               a devmap whose one entry is the device: the kernel empties it when the device goes
 *         object, program      symbolic links: the file of a program of the user's, and its name there
 *         map                  a symbolic link: how the user named a map that is not ours
 *
 * A change is prepared beside these directories, see path-journal.ts.
 */

export const PROGRAM_PIN = 'prog';
export const TARGETS_PIN = 'targets';
export const COUNTERS_PIN = 'counters';
export const CONFIG_PIN = 'config';
export const LINK_PIN = 'link';
export const DEVICE_PIN = 'device';
export const EGRESS_DIRECTORY = 'egress';
export const MAPS_DIRECTORY = 'maps';
export const DECLARED_DIRECTORY = 'declared';
export const OBJECT_LINK = 'object';
export const PROGRAM_LINK = 'program';
export const MAP_LINK = 'map';

/** The directories of a network namespace. Whoever changes anything holds the lock of the root (path-lock.ts). */
export class PathStore {
  readonly root: string;
  /** Inode of the namespace: an ifindex means nothing without it. */
  readonly netns: number;

  /** @throws ToolError permission when what is there may not be looked into, and nobody could tell what is ours */
  constructor(root = storeRoot(), netns = currentNetnsInode()) {
    this.root = root;
    this.netns = netns;
    checkOwner(root);
    checkAccess(root);
  }

  /** Where the path of a device is when no change is under way. */
  directory(ifindex: number): string {
    return `${this.root}/${this.netns}_${ifindex}`;
  }

  /** The ifindexes that have a directory, in ascending order. */
  devices(): number[] {
    return namesIn(this.root)
      .flatMap((name) => {
        const [, netns, ifindex] = /^([0-9]+)_([1-9][0-9]{0,9})$/.exec(name) ?? [];
        return Number(netns) === this.netns && ifindex !== undefined ? [Number(ifindex)] : [];
      })
      .toSorted((a, b) => a - b);
  }
}

/** A root that is not there is nobody's secret. */
function checkAccess(root: string): void {
  const errno = accessError(root, constants.R_OK | constants.X_OK);
  if (errno === 0 || errno === ENOENT) return;
  if (errno !== EACCES && errno !== EPERM) throw new KernelRefusal('access', errno, { path: root });
  throw new ToolError('permission', `${root}, where xdpctl keeps its pins, may not be read without CAP_DAC_OVERRIDE`, {
    hint: 'run it as root, or with that capability',
    errno,
  });
}

/**
 * A bpffs that everybody may write to (mounted by hand, its mode is 1777) lets others make the root before us, and swap
 * what lies in it: pins are taken only from a directory that root or this user made, and that nobody else may write to,
 * or exchange for another.
 *
 * @throws ToolError refused
 */
export function checkOwner(root: string): void {
  const stats = lstatSync(root, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory() || !isOurs(stats) || (stats.mode & OTHERS_WRITE) !== 0) {
    throw notSafe(
      `${root}, where xdpctl keeps its pins, is not a directory of root that nobody else may write to`,
      root,
    );
  }
  const mount = dirname(root);
  const above = statSync(mount);
  if (!isOurs(above) || ((above.mode & OTHERS_WRITE) !== 0 && (above.mode & STICKY) === 0)) {
    throw notSafe(`others may exchange ${root}, where xdpctl keeps its pins: ${mount} is not root's alone`, mount);
  }
}

const OTHERS_WRITE = 0o022;
/** In such a directory only the owner of a file may move it (S_ISVTX). */
const STICKY = 0o1000;

function isOurs({ uid }: { readonly uid: number }): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function notSafe(message: string, path: string): ToolError {
  return new ToolError('refused', message, {
    hint: `look who made it, and take it away or close it: ${shellCommand(['ls', '-ld', path])}`,
  });
}

/** The root of all directories, which need not be there. */
export function storeRoot(): string {
  return `${bpffsMounts()[0] ?? BPFFS_STANDARD}/xdpctl`;
}

/** Whether there is a directory of ours, not a link to one. @throws ToolError refused for anything else */
export function isStoreDirectory(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (!stats.isDirectory()) throw notOurs(path);
  return true;
}

function notOurs(path: string): ToolError {
  return notSafe(`${path} is in the way: xdpctl keeps its pins in directories there`, path);
}

/** The names in a directory, sorted; none when it is not there. @throws ToolError refused for what is no directory */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw notOurs(directory);
    throw error;
  }
}

/** The program pinned at a path, undefined when nothing is. The caller closes it. @throws KernelRefusal `pin get` */
export function pinnedProgram(path: string): BpfProgram | undefined {
  return exists(path) ? new BpfProgram(openPin(path).fd) : undefined;
}

/** The map pinned at a path, undefined when nothing is. The caller closes it. @throws KernelRefusal `pin get` */
export function pinnedMap(path: string): BpfMap | undefined {
  return exists(path) ? new BpfMap(openPin(path).fd) : undefined;
}

/** The id of the program of the path in a directory, or undefined. */
export function programIn(directory: string): number | undefined {
  using program = pinnedProgram(`${directory}/${PROGRAM_PIN}`);
  return program?.info.id;
}

/** The text of a symbolic link, or undefined when there is none. @throws Error of node:fs when that cannot be told */
export function linkText(path: string): string | undefined {
  try {
    return textOfBytes(readlinkSync(osPath(path), 'buffer'));
  } catch (error) {
    if (isAbsence(error) || (error as NodeJS.ErrnoException).code === 'EINVAL') return undefined;
    throw error;
  }
}

/**
 * Removes a directory with everything in it, or what stands in its place: what a link leads to stays. What is pinned there
 * lives on while anybody else holds it.
 */
export function removeTree(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) return unlinkSync(path);
  for (const name of namesIn(path)) removeTree(`${path}/${name}`);
  rmdirSync(path);
}

/** A map that the kernel empties when the device goes or moves to another namespace (dev_map_notification). */
export function deviceMarker(ifindex: number): BpfMap {
  const map = BpfMap.create({
    type: mapTypeNumber('devmap') ?? 0,
    name: 'xdpctl_device',
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    flags: 0,
  });
  try {
    map.update(encodeInteger(0, 4), encodeInteger(ifindex, 4), BPF_ANY);
    return map;
  } catch (error) {
    map[Symbol.dispose]();
    throw error;
  }
}

/** Whether the device is gone for which a marker is pinned in the directory; false when there is no marker. */
export function deviceGone(directory: string): boolean {
  using marker = pinnedMap(`${directory}/${DEVICE_PIN}`);
  return marker !== undefined && !marker.lookup(encodeInteger(0, 4), new Uint8Array(4));
}
