import { setLink } from '../../../support/world.ts';
import type { LossCase } from '../loss-case.ts';

/** classic programs do not compare what is redirected with what has a target. */
const blind = ['classic'] as const;

/** Broadcasts that no member of the map can take. */
export const broadcast: readonly LossCase[] = [
  {
    code: 'broadcast-no-target',
    name: 'nobody in the map',
    count: 31,
    program: 'to_all',
    finding: () => ({ certainty: 'certain', event: 'xdp_redirect' }),
    blind,
  },
  {
    code: 'broadcast-no-target',
    name: 'everybody down',
    count: 32,
    program: 'to_all',
    breakIt(path) {
      path.setEntry('targets', 1, path.egress.ifindex);
      setLink(path.router, 'set', path.egress.name, 'down');
    },
    finding: (path) => ({
      certainty: 'certain',
      fix: `ip netns exec ${path.router} ip link set dev ${path.egress.name} up`,
    }),
    mends: true,
    blind,
  },
];
