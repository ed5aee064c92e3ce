import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

import type { Surroundings } from '../domain/explain.ts';

/** Bits of the capability sets (linux/capability.h). */
const capabilityBits = {
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
} as const;

/** What explains a refusal besides the call itself: this process's capabilities and the kernel's version. */
export function surroundings(): Surroundings {
  return {
    capabilities: effectiveCapabilities(),
    ownUserNamespace: inOwnUserNamespace(),
    kernelRelease: release(),
  };
}

/** The kernel asks for these in the first user namespace, whatever a process has in its own (bpf_capable, perfmon_capable). */
const onlyOfTheFirst = ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_ADMIN'];

/** The first user namespace maps every user to itself (user_namespaces(7)). */
function inOwnUserNamespace(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return false;
  }
}

/** The capabilities of this process that matter here, and count with the kernel; undefined when /proc does not tell. */
export function effectiveCapabilities(): ReadonlySet<string> | undefined {
  try {
    const all = capabilitiesIn(readFileSync('/proc/self/status', 'utf8'));
    if (all === undefined || !inOwnUserNamespace()) return all;
    return new Set([...all].filter((name) => !onlyOfTheFirst.includes(name)));
  } catch {
    return undefined;
  }
}

/** The same, from the text of /proc/PID/status. */
export function capabilitiesIn(status: string): ReadonlySet<string> | undefined {
  const line = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1];
  if (line === undefined) return undefined;
  const mask = BigInt(`0x${line}`);
  return new Set(
    Object.entries(capabilityBits)
      .filter(([, bit]) => (mask >> BigInt(bit)) & 1n)
      .map(([name]) => name),
  );
}

/** What every /proc and every /sys has, but not one that is not mounted, or mounted with subset=pid (proc(5)). */
const alwaysThere: Readonly<Record<string, string>> = { '/proc': '/proc/sys/net', '/sys': '/sys/devices/system/cpu' };

/** Whether a file is not there because /proc or /sys is not, or not as a whole. */
export function missingFilesystem(path: string): string | undefined {
  return Object.keys(alwaysThere).find(
    (place) => path.startsWith(`${place}/`) && !existsSync(alwaysThere[place] ?? ''),
  );
}
