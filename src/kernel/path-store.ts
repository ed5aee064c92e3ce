import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';

import { BPFFS_STANDARD, bpffsMounts } from './bpffs-path.ts';
import { type BpfObjectKind, openPin } from './pin.ts';
import { readProgramInfo } from './program.ts';

/*
 * What `redirect attach` keeps in the kernel for a device: one directory of pins,
 *
 *     <bpffs>/xdpctl/<inode of the network namespace>_<ifindex>/{prog,targets,counters,…}
 *
 * The directory is complete before the device is switched over: it is filled under the same name with `_new` behind it,
 * and takes its final name after the switch. So whoever is killed in between leaves one of two states, which
 * `settle` tells apart by the program that is attached.
 */

/** Names within the directory. */
export const PROGRAM_PIN = 'prog';
export const TARGETS_PIN = 'targets';
export const COUNTERS_PIN = 'counters';
export const LINK_PIN = 'link';

const STAGED = '_new';

/** The device that a directory stands for. An ifindex means nothing without its namespace. */
export interface DeviceKey {
  /** Inode of the network namespace. */
  readonly netns: number;
  readonly ifindex: number;
}

/** The root of all such directories, which need not be there. */
export function storeRoot(): string {
  return `${bpffsMounts()[0] ?? BPFFS_STANDARD}/xdpctl`;
}

/** Makes the root (mode 0700) when it is not there. bpffs must be mounted. */
export function makeStoreRoot(): string {
  const root = storeRoot();
  mkdirSync(root, { recursive: true, mode: 0o700 });
  return root;
}

/** The pins that belong to one device. All methods want the root's lock held (file-lock.ts). */
export class PathStore {
  readonly device: DeviceKey;
  readonly path: string;
  readonly #staged: string;

  constructor(root: string, device: DeviceKey) {
    this.device = device;
    this.path = `${root}/${device.netns}_${device.ifindex}`;
    this.#staged = `${this.path}${STAGED}`;
  }

  get exists(): boolean {
    return existsSync(this.path);
  }

  /**
   * Which of the programs attached to the device is ours, undefined when none is. Also right after a command that was
   * killed, before `settle`.
   */
  ownAmong(attached: readonly number[]): number | undefined {
    const own = [this.#staged, this.path].map((directory) => pinnedProgramId(`${directory}/${PROGRAM_PIN}`));
    return own.find((id) => id !== undefined && attached.includes(id));
  }

  /** Makes the directory that pins go into before the switch, and returns its path. */
  stage(): string {
    removePins(this.#staged);
    mkdirSync(this.#staged, { mode: 0o700 });
    return this.#staged;
  }

  /** After the switch: what was staged takes the place of what was there. */
  adopt(): void {
    removePins(this.path);
    renameSync(this.#staged, this.path);
  }

  /** Without the switch: what was staged goes. */
  discardStaged(): void {
    removePins(this.#staged);
  }

  remove(): void {
    removePins(this.path);
  }

  /**
   * Brings the directory into agreement with the device after a command that was killed: what was staged and is attached
   * is adopted, what was staged and is not goes.
   *
   * @param attached ids of the programs attached to the device now
   */
  settle(attached: readonly number[]): void {
    const staged = pinnedProgramId(`${this.#staged}/${PROGRAM_PIN}`);
    if (staged !== undefined && attached.includes(staged)) this.adopt();
    else this.discardStaged();
  }
}

/** Every device that has a directory, staged ones included. */
export function storedDevices(root: string): readonly DeviceKey[] {
  const keys = new Map<string, DeviceKey>();
  for (const name of readdirSync(root)) {
    const [, netns, ifindex] = /^([0-9]+)_([0-9]+)(?:_new)?$/.exec(name) ?? [];
    if (netns === undefined || ifindex === undefined) continue;
    keys.set(`${netns}_${ifindex}`, { netns: Number(netns), ifindex: Number(ifindex) });
  }
  return [...keys.values()];
}

function pinnedProgramId(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const { kind, fd } = openPin(path);
  using open = fd;
  const wanted: BpfObjectKind = 'prog';
  return kind === wanted ? readProgramInfo(open.number).id : undefined;
}

function removePins(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) unlinkSync(`${directory}/${name}`);
  rmdirSync(directory);
}
