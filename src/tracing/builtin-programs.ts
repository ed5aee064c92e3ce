import { release } from 'node:os';

import type { ArgumentKind, KernelTypes } from '../domain/btf/kernel-types.ts';
import { kernelAtLeast, type KernelVersion, parseKernelVersion } from '../domain/kernel-version.ts';
import type { SkbReasons } from '../domain/loss-record.ts';
import { readKernelTypes } from '../kernel/kernel-types.ts';

/** Programs of bpf-objects/losses.bpf.c, with what they need of the kernel. */
interface TracingProgram {
  readonly name: string;
  readonly event: string;
  /** What the tracepoint hands over, `p` for a pointer and `n` for a number; more may follow where `more` says so. */
  readonly takes: string;
  readonly more?: true;
  /** The row of counting-row.ts that it counts. */
  readonly row?: string;
  readonly flow?: true;
  /** A kernel function that it calls. */
  readonly calls?: string;
  /** The kernel whose verifier is the first to let it pass, where nothing else tells. */
  readonly since?: string;
}

/** The first that fits is taken of those that count the same. */
const programs: readonly (readonly TracingProgram[])[] = [
  [
    {
      name: 'redirect_err',
      event: 'xdp_redirect_err',
      takes: 'pppnnnn',
      row: 'redirect_err',
      calls: 'bpf_rdonly_cast',
      since: '6.16',
    },
    {
      name: 'redirect_err_casting',
      event: 'xdp_redirect_err',
      takes: 'pppnnnn',
      row: 'redirect_err',
      calls: 'bpf_rdonly_cast',
    },
    { name: 'redirect_err_probing', event: 'xdp_redirect_err', takes: 'pppnnnn', row: 'redirect_err' },
    { name: 'redirect_err_by_map', event: 'xdp_redirect_err', takes: 'pppnpn', row: 'redirect_err' },
  ],
  [{ name: 'exception', event: 'xdp_exception', takes: 'ppn', row: 'exception' }],
  [{ name: 'devmap_xmit', event: 'xdp_devmap_xmit', takes: 'ppnnn', row: 'devmap_xmit' }],
  [{ name: 'cpumap_enqueue', event: 'xdp_cpumap_enqueue', takes: 'nnnn', row: 'cpumap_enqueue' }],
  [
    {
      name: 'cpumap_kthread_drops',
      event: 'xdp_cpumap_kthread',
      takes: 'nnnn',
      more: true,
      row: 'cpumap_kthread_drops',
    },
  ],
  [
    {
      name: 'cpumap_kthread_xdp_drop',
      event: 'xdp_cpumap_kthread',
      takes: 'nnnnp',
      row: 'cpumap_kthread_xdp_drop',
    },
  ],
  [{ name: 'bulk_tx', event: 'xdp_bulk_tx', takes: 'pnnn', row: 'bulk_tx' }],
  [
    { name: 'skb_freed_at', event: 'kfree_skb', takes: 'ppnp' },
    { name: 'skb_freed', event: 'kfree_skb', takes: 'ppn' },
  ],
  [
    { name: 'redirected', event: 'xdp_redirect', takes: 'pppnnnn', flow: true },
    { name: 'redirected_by_map', event: 'xdp_redirect', takes: 'pppnpn', flow: true },
  ],
  [{ name: 'transmitted', event: 'xdp_devmap_xmit', takes: 'ppnnn', flow: true }],
];

/** What the programs can do on this kernel. */
export interface BuiltinPlan {
  /** Names of the programs to load. */
  readonly programs: readonly string[];
  /** The tracepoints, as `xdp:xdp_exception`. */
  readonly events: readonly string[];
  /** Names of the rows that are counted. */
  readonly rows: ReadonlySet<string>;
  readonly reasons: SkbReasons;
}

/** Drop reasons that tell of redirected frames; which they are is found out afterwards. */
const reasonNames = ['NOT_SPECIFIED', 'UDP_CSUM', 'TCP_CSUM', 'OTHERHOST'];

/**
 * Chooses the programs whose tracepoints this kernel has, with the arguments that they take.
 *
 * @returns undefined when the kernel has no BTF
 */
export function planBuiltin(conserve: boolean): BuiltinPlan | undefined {
  const all = programs.flat();
  const types = readKernelTypes({
    typedefs: [...new Set(all.map(({ event }) => `btf_trace_${event}`))],
    enums: ['skb_drop_reason'],
    functions: [...new Set(all.flatMap(({ calls }) => calls ?? []))],
  });
  return types && planFromTypes(types, conserve, parseKernelVersion(release()));
}

/** Chooses by what the kernel's types say; `kernel` is undefined where its release is none. */
export function planFromTypes(types: KernelTypes, conserve: boolean, kernel?: KernelVersion): BuiltinPlan {
  const reasons = readReasons(types);
  const chosen = programs.flatMap((alternatives) => alternatives.find((program) => fits(program, types, kernel)) ?? []);
  const wanted = chosen.filter(
    ({ event, flow }) => (conserve || flow === undefined) && (event !== 'kfree_skb' || reasons.names.size > 0),
  );
  return {
    programs: wanted.map(({ name }) => name),
    events: [...new Set(wanted.map(({ event }) => `${event === 'kfree_skb' ? 'skb' : 'xdp'}:${event}`))],
    rows: new Set(wanted.flatMap(({ row }) => row ?? [])),
    reasons,
  };
}

function fits(
  { event, takes, more, calls, since }: TracingProgram,
  types: KernelTypes,
  kernel: KernelVersion | undefined,
): boolean {
  if (since !== undefined && (kernel === undefined || !kernelAtLeast(kernel, since))) return false;
  const kinds = types.tracepointArguments(event);
  if (kinds === undefined || (calls !== undefined && !types.hasFunction(calls))) return false;
  const letters = kinds.map((kind: ArgumentKind) => kind[0]).join('');
  return more === true ? letters.startsWith(takes) : letters === takes;
}

function readReasons(types: KernelTypes): SkbReasons {
  const values = types.enumerators('skb_drop_reason');
  const numberOf = (name: string): number | undefined => values?.get(`SKB_DROP_REASON_${name}`);
  const names = reasonNames.flatMap((name) => {
    const number = numberOf(name);
    return number === undefined ? [] : [[number, name] as const];
  });
  return { names: new Map(names), unspecified: numberOf('NOT_SPECIFIED'), socket: numberOf('UDP_CSUM') };
}
