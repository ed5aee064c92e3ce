import type { Finding, FindingDevice, FindingProgram } from './finding.ts';

/** A device for a line of text: `r1`, `d0 (netns D)`, or its ifindex where the name is unknown. */
export function deviceText({ ifindex, ifname, netns }: FindingDevice): string {
  const name = ifname ?? `ifindex ${ifindex}`;
  return netns === undefined ? name : `${name} (netns ${netns})`;
}

/** From where to where: `r0 -> r1`; empty where neither is known. */
export function pathText({ from, to }: Finding): string {
  return [from, to].flatMap((device) => (device === undefined ? [] : [deviceText(device)])).join(' -> ');
}

/** What kind of program it is; those at an interface are called so by nobody. */
export function programWords({ role }: FindingProgram): string {
  return role === undefined || role === 'ingress' ? 'program' : `${role} program`;
}

/** The way, and through what. */
export function placeText(finding: Finding): string {
  const { map, key, prog, cpu } = finding;
  const facts = [
    map === undefined ? '' : `map ${map.name ?? map.id}`,
    key === undefined ? '' : `key ${key}`,
    prog === undefined ? '' : `${programWords(prog)} ${prog.name ?? prog.id}`,
    cpu === undefined ? '' : `CPU ${cpu}`,
  ];
  return [pathText(finding), ...facts].filter((part) => part !== '').join(', ');
}
