import { kernelHas } from '../../../support/kernel-has.ts';
import { openTap } from '../../../support/tap.ts';
import { setGro, setLink } from '../../../support/world.ts';
import { forward, type LossCase } from '../loss-case.ts';
import { lostAtStarved, pollInThread, sendToStarved } from '../starved-receiver.ts';

/** Of lo, in every namespace. */
const LOOPBACK = 1;

/** Frames that their target does not take, in native mode. */
export const devmap: readonly LossCase[] = [
  {
    code: 'target-no-xmit',
    how: 'a veth whose peer has neither GRO nor a program',
    count: 9,
    program: 'forward',
    breakIt(path) {
      forward(path);
      setGro(path.sink, false);
    },
    finding: (path) => ({
      certainty: 'certain',
      // Before, nobody asks the device: its driver refuses.
      ...(kernelHas('6.3') ? { errno: 95, key: 0 } : { errno: 6 }),
      fix: kernelHas('5.13')
        ? `ip netns exec ${path.sink.namespace} ethtool -K ${path.sink.name} gro on`
        : `xdpctl --netns ${path.sink.namespace} net attach xdpdrv builtin pass dev ${path.sink.name}`,
    }),
    mends: true,
  },
  {
    code: 'target-no-xmit',
    how: 'the target is lo',
    count: 49,
    program: 'forward',
    breakIt: (path) => path.setEntry('targets', 0, LOOPBACK),
    finding: () => ({ certainty: 'certain', errno: 95, key: 0 }),
    says: ({ router }) => `lo (netns ${router}) could not transmit`,
  },
  {
    code: 'target-down',
    how: 'the target is down',
    count: 10,
    program: 'forward',
    breakIt(path) {
      forward(path);
      setLink(path.router, 'set', path.egress.name, 'down');
    },
    finding: (path) => ({
      certainty: 'certain',
      errno: 100,
      fix: `ip netns exec ${path.router} ip link set dev ${path.egress.name} up`,
    }),
    mends: true,
  },
  {
    code: 'frame-exceeds-mtu',
    how: 'the target has a smaller MTU',
    count: 12,
    size: 1400,
    program: 'forward',
    breakIt(path) {
      forward(path);
      setLink(path.router, 'set', path.egress.name, 'mtu', '1000');
      setLink(path.sink.namespace, 'set', path.sink.name, 'mtu', '1000');
    },
    finding: () => ({ certainty: 'certain', errno: 90 }),
    mends: true,
  },
  {
    code: 'target-no-carrier',
    how: 'a veth whose peer is down',
    count: 13,
    program: 'forward',
    breakIt(path) {
      forward(path);
      setLink(path.sink.namespace, 'set', path.sink.name, 'down');
    },
    finding: (path) => ({
      certainty: 'certain',
      errno: 6,
      fix: `ip netns exec ${path.sink.namespace} ip link set dev ${path.sink.name} up`,
    }),
    mends: true,
  },
  {
    code: 'target-no-carrier',
    how: 'a tap that nobody has open',
    count: 20,
    program: 'forward',
    breakIt(path) {
      const tap = openTap(path.router);
      path.setEntry('targets', 0, tap.ifindex);
      tap.closeQueue();
      return tap;
    },
    finding: () => ({ certainty: 'certain', errno: 6 }),
  },
  {
    code: 'peer-mtu',
    how: 'the peer of the target has a smaller MTU',
    count: 14,
    size: 1400,
    program: 'forward',
    breakIt(path) {
      forward(path);
      setLink(path.sink.namespace, 'set', path.sink.name, 'mtu', '1000');
    },
    finding: () => ({ certainty: 'certain' }),
    mends: true,
  },
  {
    code: 'tx-ring-full',
    how: 'a tap that nobody reads from',
    count: 50,
    lost: () => 42,
    program: 'forward',
    breakIt(path) {
      const tap = openTap(path.router, { queueLength: 8 });
      path.setEntry('targets', 0, tap.ifindex);
      return tap;
    },
    finding: () => ({ certainty: 'certain' }),
  },
  {
    code: 'tx-ring-full',
    // Threads that poll.
    since: '5.12',
    how: 'a veth whose peer gets no CPU',
    count: 300,
    lost: lostAtStarved,
    program: 'forward',
    breakIt(path) {
      forward(path);
      pollInThread(path);
    },
    send: (path) => sendToStarved(path, 300),
    finding: () => ({ certainty: 'certain' }),
  },
  {
    code: 'egress-program-drop',
    how: 'the program in the entry returns XDP_DROP',
    count: 15,
    program: 'forward',
    breakIt: (path) => forward(path, 'egress_drop'),
    finding: () => ({ certainty: 'certain', key: 0 }),
    // Before, comparing redirected frames with transmitted ones shows it.
    blind: kernelHas('5.14') ? [] : ['classic'],
  },
  {
    code: 'egress-program-bad-action',
    how: 'the program in the entry returns XDP_TX',
    count: 16,
    program: 'forward',
    breakIt: (path) => forward(path, 'egress_back'),
    finding: () => ({ certainty: 'certain', key: 0, prog: { name: 'egress_back', role: 'egress' } }),
  },
];
