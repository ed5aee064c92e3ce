import { eachPinOnce, tool } from './tool.ts';

/** The kinds of BPF objects that bpftool lists. */
export const bpfKinds = ['map', 'prog', 'link'] as const;

export type BpfKind = (typeof bpfKinds)[number];

/** A map, program or link, as bpftool shows it. */
export interface BpfObject {
  readonly id: number;
  readonly type?: string;
  readonly name?: string;
  /** Of a program. */
  readonly map_ids?: readonly number[];
  /** Of a link. */
  readonly prog_id?: number;
  /** Where it is pinned, if that was asked for. */
  readonly pinned?: readonly string[];
}

/**
 * All maps, programs or links of the kernel. bpftool gives up when an object goes away while it lists (EAGAIN or ENOENT of
 * its id): then it lists again.
 *
 * @param options of bpftool: `-f` for where they are pinned
 * @param wrapper words that run it: `['nsenter', …]`
 */
export function bpfObjects(
  kind: BpfKind,
  options: readonly string[] = [],
  wrapper: readonly string[] = [],
  tries = 20,
): BpfObject[] {
  try {
    // It does not escape what other programs have in the names of their pins.
    const text = tool('env', [...wrapper, 'bpftool', ...options, '-j', kind, 'show']).replaceAll(/\p{Cc}/gu, ' ');
    return (JSON.parse(text, eachPinOnce) as BpfObject[]).filter((each) => !isLostByKernel(each));
  } catch (error) {
    if (tries <= 1) throw error;
    return bpfObjects(kind, options, wrapper, tries - 1);
  }
}

/**
 * An array of programs stays for good when somebody lists maps while the kernel clears it, which this very list does: it
 * takes a reference each time the last descriptor is closed, and gives back one (prog_array_map_clear, kernel/bpf/arraymap.c;
 * seen on Linux 6.18 with bpftool alone). The tool makes such arrays to find out what programs are like.
 */
function isLostByKernel({ type, name }: BpfObject): boolean {
  return type === 'prog_array' && name === 'xdpctl_scratch';
}
