import { ToolError } from './errors.ts';

/** What redirecting can use and a kernel may lack. */
export interface KernelFeature {
  /** In a sentence: `Linux 5.14 is required for …`. */
  readonly what: string;
  /** The first kernel that has it. */
  readonly since: string;
  /** A function that came with it, by which an older kernel is known that a distribution has given it. */
  readonly symbol?: string;
}

export const kernelFeatures = {
  vethGro: { what: 'a veth that polls with GRO alone', since: '5.13' },
  broadcast: {
    what: 'redirecting each frame to all entries of a map',
    since: '5.14',
    symbol: 'dev_map_enqueue_multi',
  },
  genericCpumap: {
    what: 'redirecting to other CPUs in generic mode',
    since: '5.15',
    symbol: 'cpu_map_generic_redirect',
  },
  genericEntryPrograms: {
    what: 'programs in the entries of a map in generic mode',
    since: '5.15',
    // Of the same series of patches.
    symbol: 'cpu_map_generic_redirect',
  },
  runContext: { what: 'the context of an XDP program that is run', since: '5.15' },
  fragments: { what: 'programs that take frames of several buffers (xdp.frags)', since: '5.18' },
  socketFragments: { what: 'AF_XDP sockets that get frames of several buffers', since: '6.6' },
} as const satisfies Readonly<Record<string, KernelFeature>>;

/**
 * @param release as uname -r says it
 * @param hint what to do instead
 */
export function lacksFeature({ what, since }: KernelFeature, release: string, hint?: string): ToolError {
  return new ToolError(
    'unsupported',
    `this kernel (${release}) does not know ${what}: Linux ${since} is required`,
    hint === undefined ? {} : { hint },
  );
}
