import { detachProgram, setUp, switchTxChecksumOff } from '../ledger/fixes.ts';
import { nameOf } from '../ledger/scene.ts';
import { isHiddenDispatcher, type ObservedPath, programLabel } from '../observed-path.ts';
import type { PathProblem } from './problem.ts';

/** What is wrong at the beginning of a path: the device the frames come in by, and the program on it. */
export function ingressProblems(path: ObservedPath): PathProblem[] {
  return [...down(path), ...hiddenDispatcher(path), ...missingChecksums(path)];
}

function down({ device }: ObservedPath): PathProblem[] {
  if (device.up) return [];
  const sentence = `${device.ifname} is administratively down: no frame comes in`;
  return [{ code: 'ingress-down', certainty: 'certain', sentence, fix: setUp(device) }];
}

function hiddenDispatcher(path: ObservedPath): PathProblem[] {
  if (!isHiddenDispatcher(path)) return [];
  const { device, program } = path;
  const sentence = `${programLabel(program)} on ${device.ifname} is a dispatcher of libxdp, and no link tells which programs it calls, so what they redirect cannot be followed; nothing else can be attached while it is there`;
  return [{ code: 'dispatcher-in-front', certainty: 'likely', sentence, fix: detachProgram(device, program) }];
}

/** Native redirect forgets that a checksum is still to be filled in; in generic mode the skb remembers. */
function missingChecksums({ device, mode, maps }: ObservedPath): PathProblem[] {
  const { kind, peer } = device;
  const redirects = maps.some(({ entries = [] }) => entries.some(({ reachable }) => reachable));
  if (kind !== 'veth' || peer?.txChecksum !== true || mode !== 'native' || !redirects) return [];
  const sentence = `${device.ifname} is a veth, and its peer ${nameOf(peer, peer.ifindex)} leaves checksums to be filled in (tx-checksumming), which a redirected frame never gets: receivers drop UDP and TCP`;
  return [{ code: 'delivered-bad-checksum', certainty: 'likely', sentence, fix: switchTxChecksumOff(peer) }];
}
