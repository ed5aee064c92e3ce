import { expect } from 'vitest';

import { sendFrames } from '../../../support/frames.ts';
import { setGro, setLink } from '../../../support/world.ts';
import type { LossCase } from '../loss-case.ts';
import { missingObject } from '../lossy-path.ts';

/** Frames that get no target, or go back. */
export const beforeTarget: readonly LossCase[] = [
  {
    code: 'map-miss',
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
    name: 'of a foreign program',
    count: 2,
    program: 'forward',
    finding: () => ({ certainty: 'likely' }),
  },
  {
    code: 'map-miss',
    name: 'key outside the map',
    count: 35,
    program: 'outside',
    finding: () => ({ certainty: 'likely' }),
  },
  {
    code: 'map-miss',
    name: 'the target has moved away',
    count: 36,
    object: missingObject,
    program: 'redirect',
    breakIt: (path) => path.setEntry('targets', path.ingress.ifindex, path.egress.ifindex),
    send(path) {
      setLink(path.router, 'set', path.egress.name, 'netns', path.source.namespace ?? '');
      sendFrames(path.source, { count: 36 });
    },
    finding: (path) => ({
      certainty: 'certain',
      key: path.ingress.ifindex,
      explanation: expect.stringContaining(`it held ${path.egress.name}`) as string,
    }),
  },
  { code: 'program-aborted', count: 4, program: 'gives_up' },
  {
    code: 'program-aborted',
    name: 'flags that there are not',
    count: 37,
    program: 'bad_flags',
    breakIt(path) {
      for (let key = 0; key < 4; key += 1) path.setEntry('targets', key, path.egress.ifindex);
    },
    finding: () => ({ certainty: 'likely' }),
  },
  { code: 'unknown-action', count: 5, program: 'returns_42' },
  { code: 'no-redirect-call', count: 6, program: 'without_call', finding: () => ({ errnoName: 'EBADRQC' }) },
  { code: 'stale-target', count: 7, program: 'ignores_miss', finding: () => ({ errnoName: 'EINVAL' }) },
  { code: 'no-such-interface', count: 8, program: 'nowhere', finding: () => ({ to: { ifindex: 999_999 } }) },
  {
    code: 'tx-hairpin-failed',
    count: 19,
    program: 'back',
    breakIt: ({ source }) => setGro(source, false),
    finding: (path) => ({ fix: `ip netns exec ${path.source.namespace} ethtool -K ${path.source.name} gro on` }),
  },
];
