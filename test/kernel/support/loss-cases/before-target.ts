import { sendFrames } from '../../../support/frames.ts';
import { kernelHas } from '../../../support/kernel-has.ts';
import { setGro, setLink } from '../../../support/world.ts';
import { everybody, type LossCase } from '../loss-case.ts';
import { missingObject } from '../lossy-path.ts';

/** Frames that get no target, or go back. */
export const beforeTarget: readonly LossCase[] = [
  {
    code: 'map-miss',
    how: 'no entry at the key, program of xdpctl',
    count: 3,
    object: missingObject,
    program: 'redirect',
    finding: (path) => ({
      certainty: 'certain',
      key: path.ingress.ifindex,
      fix: `xdpctl --netns ${path.router} map update pinned ${path.pin('maps/targets')} key ${path.ingress.ifindex} value dev DEV`,
    }),
  },
  {
    code: 'map-miss',
    how: 'no entry at the key, foreign program',
    count: 2,
    program: 'forward',
    finding: () => ({ certainty: 'likely' }),
  },
  {
    code: 'map-miss',
    how: 'the key is outside the map',
    count: 35,
    program: 'outside',
    finding: () => ({ certainty: 'likely' }),
  },
  {
    code: 'map-miss',
    how: 'the target has moved to another namespace',
    count: 36,
    object: missingObject,
    program: 'redirect',
    breakIt: (path) => path.setEntry('targets', path.ingress.ifindex, path.egress.ifindex),
    send(path) {
      setLink(path.router, 'set', path.egress.name, 'netns', path.source.namespace ?? '');
      sendFrames(path.source, { count: 36 });
    },
    finding: (path) => ({ certainty: 'certain', key: path.ingress.ifindex }),
    says: (path) => `it held ${path.egress.name}`,
  },
  {
    code: 'map-miss',
    how: 'no entry at the key, XDP_DROP in the flags',
    count: 43,
    program: 'drops_misses',
    blind: everybody,
  },
  { code: 'program-aborted', how: 'the program returns XDP_ABORTED', count: 4, program: 'gives_up' },
  {
    code: 'program-aborted',
    how: 'flags that the helper does not know',
    count: 37,
    program: 'bad_flags',
    breakIt(path) {
      for (let key = 0; key < 4; key += 1) path.setEntry('targets', key, path.egress.ifindex);
    },
    finding: () => ({ certainty: 'likely' }),
  },
  { code: 'unknown-action', how: 'the program returns 42', count: 5, program: 'returns_42' },
  {
    code: 'no-redirect-call',
    how: 'XDP_REDIRECT without a helper call',
    count: 6,
    program: 'without_call',
    finding: () => ({ errnoName: kernelHas('5.13') ? 'EBADRQC' : 'EINVAL' }),
  },
  {
    code: 'stale-target',
    how: 'XDP_REDIRECT in spite of a failed look-up',
    count: 7,
    program: 'ignores_miss',
    finding: () => ({ errnoName: 'EINVAL' }),
  },
  {
    code: 'no-such-interface',
    how: 'bpf_redirect() to an ifindex that there is not',
    count: 8,
    program: 'nowhere',
    finding: () => ({ to: { ifindex: 999_999 } }),
  },
  {
    code: 'tx-hairpin-failed',
    how: 'XDP_TX to a veth peer without GRO and program',
    count: 19,
    program: 'back',
    breakIt: ({ source }) => setGro(source, false),
    finding: ({ source }) => ({
      fix: kernelHas('5.13')
        ? `ip netns exec ${source.namespace} ethtool -K ${source.name} gro on`
        : `xdpctl --netns ${source.namespace} net attach xdpdrv builtin pass dev ${source.name}`,
    }),
  },
];
