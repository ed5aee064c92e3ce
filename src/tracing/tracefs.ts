import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

import { ToolError } from '../domain/errors.ts';
import { isAbsence } from '../kernel/access.ts';
import { inInitialMountNamespace, MOUNT_NAMESPACE_HINT } from '../kernel/mount-namespace.ts';
import { type EventFormat, parseEventFormat } from './event-format.ts';
import { tracefsRefusal } from './rights.ts';

/** Where tracefs belongs; where systemd, bpftrace and perf look for it. */
export const tracefsMountPoint = '/sys/kernel/tracing';

/** Also there since 4.1: debugfs mounts tracefs below itself when the folder is entered. */
const places = [tracefsMountPoint, '/sys/kernel/debug/tracing'];

/** TRACEFS_MAGIC (linux/magic.h). */
const tracefsMagic = 0x7472_6163;

/** Tracepoints of a group, by name. */
export type Events = ReadonlyMap<string, EventFormat>;

/** Mounts a filesystem, as `mount -t TYPE TYPE TARGET` does; throws when it cannot. */
export type Mount = (type: string, target: string) => void;

/** The folder where tracefs is mounted, or undefined. @throws ToolError `permission`, `refused` when that cannot be told */
function findTracefs(): string | undefined {
  return places.find((place) => isTracefs(place));
}

/**
 * The folder where tracefs is mounted; mounts it on its standard mount point when it is nowhere and `mount` is given.
 *
 * @throws ToolError `unsupported` when it is not mounted, or this kernel has none; `permission`, `refused` when that
 *   cannot be told; what `mount` throws
 */
export function ensureTracefs(mount?: Mount): string {
  const found = findTracefs();
  if (found !== undefined) return found;
  if (mount !== undefined && kernelHasTracefs() && isMountedBy(mount)) return tracefsMountPoint;
  if (!kernelHasTracefs()) {
    throw new ToolError('unsupported', 'this kernel has no tracefs, so nothing can be traced', {
      hint: 'a kernel with CONFIG_TRACING and CONFIG_EVENT_TRACING is needed',
    });
  }
  const mountIt = `mount -t tracefs tracefs ${tracefsMountPoint}`;
  if (inInitialMountNamespace()) {
    throw new ToolError('unsupported', `tracefs is not mounted on ${tracefsMountPoint}`, { hint: mountIt });
  }
  throw new ToolError('unsupported', 'tracefs is not mounted in this mount namespace', {
    hint: `${MOUNT_NAMESPACE_HINT}; in one that lasts: ${mountIt}`,
  });
}

/**
 * The tracepoints of a group (`xdp`) that this kernel has, with their records.
 *
 * @throws ToolError `permission` when tracefs may not be read, `unsupported` when the kernel has no such group
 */
export function readEvents(tracefs: string, group: string): Events {
  const folder = join(tracefs, 'events', group);
  const events = new Map<string, EventFormat>();
  for (const name of namesIn(folder, group)) {
    const format = parseEventFormat(readFormat(join(folder, name, 'format')));
    if (format !== undefined) events.set(name, format);
  }
  return events;
}

function namesIn(folder: string, group: string): string[] {
  try {
    // The other files of the folder (`enable`, `filter`) switch all events at once.
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') {
      throw new ToolError('unsupported', `this kernel has no ${group} tracepoints`, {
        hint: 'Linux 4.14 or newer, built with CONFIG_BPF_SYSCALL and CONFIG_EVENT_TRACING, has them',
        cause,
      });
    }
    throw unreadable(folder, cause);
  }
}

function readFormat(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    // The event went away with its module between the two calls.
    if (codeOf(cause) === 'ENOENT') return '';
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): ToolError {
  const doing = `cannot read ${path}`;
  if (codeOf(cause) === 'EACCES' || codeOf(cause) === 'EPERM') return tracefsRefusal(doing, 'read', cause);
  return new ToolError('refused', `${doing}: ${codeOf(cause) ?? String(cause)}`, { cause });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function isMountedBy(mount: Mount): boolean {
  try {
    mount('tracefs', tracefsMountPoint);
  } catch (error) {
    // EBUSY: somebody else has just done it (do_add_mount, fs/namespace.c).
    if (isTracefs(tracefsMountPoint)) return true;
    throw error;
  }
  return isTracefs(tracefsMountPoint);
}

function isTracefs(place: string): boolean {
  try {
    return statfsSync(place).type === tracefsMagic;
  } catch (error) {
    if (isAbsence(error)) return false;
    // Below debugfs, which is root's alone, others find nothing.
    if (place !== tracefsMountPoint && codeOf(error) === 'EACCES') return false;
    throw unreadable(place, error);
  }
}

function kernelHasTracefs(): boolean {
  try {
    return /^nodev\ttracefs$/m.test(readFileSync('/proc/filesystems', 'utf8'));
  } catch {
    return true;
  }
}
