import { builtinPath } from '../../../support/builtin-path.ts';
import { kernelHas } from '../../../support/kernel-has.ts';
import { tool } from '../../../support/tool.ts';
import { setLink } from '../../../support/world.ts';
import { forward, type LossCase, withoutReasons } from '../loss-case.ts';
import { lostAtStarved, pollInThread, sendToStarved } from '../starved-receiver.ts';

/** A veth stops its queue when its ring is full since Linux 6.16, and since releases of 6.12; before, it drops the frame. */
const stopsQueue = kernelHas('6.12');

/** Frames that their target does not take, in generic mode. */
export const generic: readonly LossCase[] = [
  {
    code: 'map-miss',
    how: 'no entry at the key, foreign program',
    count: 38,
    program: 'forward',
    mode: 'xdpgeneric',
    finding: () => ({ certainty: 'likely' }),
  },
  {
    code: 'no-redirect-call',
    how: 'XDP_REDIRECT without a helper call',
    count: 39,
    program: 'without_call',
    mode: 'xdpgeneric',
  },
  {
    code: 'no-such-interface',
    how: 'bpf_redirect() to an ifindex that there is not',
    count: 54,
    program: 'nowhere',
    mode: 'xdpgeneric',
    finding: () => ({ to: { ifindex: 999_999 } }),
  },
  {
    code: 'frame-exceeds-mtu',
    how: 'the target has a smaller MTU',
    count: 40,
    size: 1400,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt(path) {
      forward(path);
      setLink(path.router, 'set', path.egress.name, 'mtu', '1000');
      setLink(path.sink.namespace, 'set', path.sink.name, 'mtu', '1000');
    },
    finding: () => ({ certainty: 'certain', errno: 90 }),
    mends: true,
  },
  {
    code: 'target-down',
    how: 'the target is down',
    count: 11,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt(path) {
      forward(path);
      setLink(path.router, 'set', path.egress.name, 'down');
    },
    mends: true,
  },
  {
    code: 'target-no-carrier',
    how: 'a veth whose peer is down',
    count: 21,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt(path) {
      forward(path);
      setLink(path.sink.namespace, 'set', path.sink.name, 'down');
    },
    finding: () => ({ certainty: 'certain', event: 'kfree_skb' }),
    mends: true,
    blind: withoutReasons,
  },
  {
    code: 'peer-mtu',
    how: 'the peer of the target has a smaller MTU',
    count: 22,
    size: 1400,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt(path) {
      forward(path);
      setLink(path.sink.namespace, 'set', path.sink.name, 'mtu', '1000');
    },
    finding: () => ({ certainty: 'certain', event: 'kfree_skb' }),
    mends: true,
    blind: withoutReasons,
  },
  {
    code: 'egress-program-drop',
    since: '5.15',
    how: 'the program in the entry returns XDP_DROP',
    count: 23,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt: (path) => forward(path, 'egress_drop'),
    finding: () => ({ certainty: 'certain', key: 0, event: 'kfree_skb' }),
    blind: withoutReasons,
  },
  {
    code: 'egress-program-bad-action',
    since: '5.15',
    how: 'the program in the entry returns XDP_ABORTED',
    count: 24,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt: (path) => forward(path, 'egress_abort'),
    finding: () => ({ certainty: 'certain', key: 0, event: 'xdp_exception' }),
  },
  {
    code: stopsQueue ? 'tx-queue-stopped' : 'tx-ring-full',
    // Threads that poll.
    since: '5.12',
    how: 'a veth whose peer gets no CPU',
    count: 310,
    lost: lostAtStarved,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt(path) {
      forward(path);
      const { namespace = '', name } = path.sink;
      // What is no XDP frame goes through the ring only when a program waits at its end.
      tool('ip', [
        '-n',
        namespace,
        'link',
        'set',
        'dev',
        name,
        'xdpdrv',
        'object',
        builtinPath('pass'),
        'section',
        'xdp',
      ]);
      // A veth stops its queue only when it has a queueing discipline to keep what comes meanwhile.
      tool('tc', ['-n', path.router, 'qdisc', 'add', 'dev', path.egress.name, 'root', 'pfifo']);
      pollInThread(path);
    },
    send: (path) => sendToStarved(path, 310),
    finding: (path) => ({ certainty: 'certain', to: { ifindex: path.egress.ifindex } }),
    ...(stopsQueue ? {} : { blind: withoutReasons }),
  },
];
