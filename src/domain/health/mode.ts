import { kernelAtLeast } from '../kernel-version.ts';
import { changeToNative, detachGeneric, inOrder, attachPass } from '../ledger/fixes.ts';
import { nameOf } from '../ledger/scene.ts';
import type { LiveDevice, LiveSystem } from '../live-system.ts';
import { mapLabel, type ObservedPath } from '../observed-path.ts';
import type { PathProblem } from './problem.ts';

/** Where generic and native mode do not go together. */
export function modeProblems(path: ObservedPath, system: LiveSystem, others: readonly ObservedPath[]): PathProblem[] {
  if (path.mode !== 'generic') return blockedTargets(path);
  return [...withoutCpumap(path, system), ...zeroCopySockets(path), ...mixed(path, others)];
}

function withoutCpumap(path: ObservedPath, { kernel }: LiveSystem): PathProblem[] {
  const { device, maps } = path;
  if (kernelAtLeast(kernel, '5.15')) return [];
  return maps
    .filter(({ map }) => map.type === 'cpumap')
    .map(({ map }) => ({
      code: 'mode-conflict',
      certainty: 'certain',
      mapId: map.id,
      sentence: `the program on ${device.ifname} runs in generic mode, which cannot redirect through ${mapLabel(map)} before Linux 5.15`,
      fix: toNative(path),
    }));
}

function zeroCopySockets(path: ObservedPath): PathProblem[] {
  const { device, maps } = path;
  return maps.flatMap(({ map, entries = [] }) =>
    entries
      .filter(({ entry: { socket }, reachable }) => reachable && socket?.zeroCopy === true)
      .map(({ entry: { key } }) => ({
        code: 'mode-conflict',
        certainty: 'likely',
        mapId: map.id,
        key,
        sentence: `the AF_XDP socket at key ${key} of ${mapLabel(map)} is bound in zero-copy mode, which takes frames from the driver, and the program on ${device.ifname} runs in generic mode, behind it`,
        fix: toNative(path),
      })),
  );
}

/** There and back, or through one map, one in generic mode and one in native mode. */
function mixed(path: ObservedPath, others: readonly ObservedPath[]): PathProblem[] {
  const { device } = path;
  if (device.nativeXdp === false) return [];
  const partner = others.find((other) => other.mode === 'native' && other.device !== device && belong(path, other));
  if (partner === undefined) return [];
  const sentence = `${device.ifname} redirects in generic mode, and ${partner.device.ifname}, which ${leadsTo(path, partner.device) ? 'it leads to' : 'shares its map'}, in native mode`;
  return [{ code: 'mode-conflict', certainty: 'likely', sentence, fix: toNative(path) }];
}

/** A link that `redirect attach` has made is pinned among its pins, and goes only with the path. */
function toNative({ device, program, link }: ObservedPath): string | undefined {
  if (device.nativeXdp === false || (link !== undefined && program.keySource !== undefined)) return undefined;
  return changeToNative(device, program, link);
}

function belong(one: ObservedPath, other: ObservedPath): boolean {
  const shared = one.maps.some(({ map }) => other.maps.some((each) => each.map.id === map.id));
  return shared || (leadsTo(one, other.device) && leadsTo(other, one.device));
}

function leadsTo({ maps }: ObservedPath, device: LiveDevice): boolean {
  return maps.some(({ entries = [] }) => entries.some(({ target, reachable }) => reachable && target === device));
}

/** Hardware that transmits redirected frames only with a program of its own, and has one that keeps that away. */
function blockedTargets({ maps }: ObservedPath): PathProblem[] {
  return maps.flatMap(({ map, entries = [] }) =>
    entries.flatMap(({ entry: { key }, target, reachable }): PathProblem[] => {
      if (!reachable || target?.ndoXmit !== 'no' || target.xdpMode !== 'generic' || target.driver === undefined)
        return [];
      const name = nameOf(target, target.ifindex);
      const sentence = `${name} has a program in generic mode, and so gets none in native mode, which its driver (${target.driver}) may need to transmit redirected frames`;
      const fix = inOrder(detachGeneric(target), attachPass(target));
      return [{ code: 'mode-conflict', certainty: 'likely', sentence, mapId: map.id, key, to: target, fix }];
    }),
  );
}
