import { setLink } from '../../../support/world.ts';
import { everybody, type LossCase } from '../loss-case.ts';

/** classic programs do not compare what is redirected with what has a target. */
const blind = ['classic'] as const;

/** Broadcasts that no member of the map can take. */
export const broadcast: readonly LossCase[] = [
  {
    code: 'broadcast-no-target',
    since: '5.14',
    how: 'nobody in the map',
    count: 31,
    program: 'to_all',
    finding: () => ({ certainty: 'certain', event: 'xdp_redirect' }),
    blind,
  },
  {
    code: 'broadcast-no-target',
    since: '5.14',
    how: 'its only member is down',
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
  {
    code: 'broadcast-no-target',
    since: '5.14',
    how: 'its only member has a smaller MTU',
    count: 51,
    size: 1400,
    program: 'to_all',
    breakIt(path) {
      path.setEntry('targets', 1, path.egress.ifindex);
      setLink(path.router, 'set', path.egress.name, 'mtu', '1000');
      setLink(path.sink.namespace, 'set', path.sink.name, 'mtu', '1000');
    },
    finding: () => ({ certainty: 'certain' }),
    blind,
  },
  {
    code: 'broadcast-no-target',
    since: '5.14',
    how: 'its only member is where the frames come from',
    count: 52,
    program: 'to_others',
    breakIt: (path) => path.setEntry('targets', 1, path.ingress.ifindex),
    blind,
  },
  {
    code: 'broadcast-no-target',
    since: '5.14',
    how: 'nobody in the map',
    count: 53,
    program: 'to_all',
    mode: 'xdpgeneric',
    blind: everybody,
  },
];
