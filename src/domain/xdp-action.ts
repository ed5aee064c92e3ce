/** `enum xdp_action` (linux/bpf.h) by number: what an XDP program may return. */
const names = ['ABORTED', 'DROP', 'PASS', 'TX', 'REDIRECT'] as const;

export type XdpActionName = (typeof names)[number];

/** All actions by number. */
export const xdpActionNames: readonly XdpActionName[] = names;

/** `XDP_REDIRECT` is 4; the numbers as constants, for comparisons that should be read. */
export const xdpAction = { aborted: 0, drop: 1, pass: 2, tx: 3, redirect: 4 } as const;

/** The action's name without `XDP_`, or undefined for a number that is no action. */
export function xdpActionName(action: number): XdpActionName | undefined {
  return names[action];
}

/** What a program returned, for people: `XDP_TX`, or the number where it is no action. */
export function xdpActionText(action: number): string {
  const name = xdpActionName(action);
  return name === undefined ? String(action) : `XDP_${name}`;
}

/** The number of an action's name, with or without `XDP_`, in any case; undefined when there is none. */
export function xdpActionNumber(name: string): number | undefined {
  const number = (names as readonly string[]).indexOf(name.toUpperCase().replace(/^XDP_/, ''));
  return number === -1 ? undefined : number;
}
