import { encodePair } from '../../../../src/domain/devmap.ts';
import { encodeInteger } from '../../../../src/domain/integer.ts';
import { inNetns } from '../../../../src/kernel/netns.ts';
import { loadRedirectProgram } from '../../../../src/kernel/redirect-program.ts';
import { attachXdp, removeXdp } from '../../../../src/kernel/xdp-attachment.ts';
import { kernelHas } from '../../../support/kernel-has.ts';
import { PacketSocket } from '../../../support/packet-socket.ts';
import { openTap } from '../../../support/tap.ts';
import { setLink } from '../../../support/world.ts';
import { everybody, type LossCase } from '../loss-case.ts';

/** A tap transmits redirected frames, but none of several buffers. */
export const fragments: readonly LossCase[] = [
  {
    code: 'target-no-sg',
    since: '5.18',
    how: 'frames of several buffers to a tap',
    count: 34,
    program: 'forward',
    breakIt(path) {
      const { router, source, ingress } = path;
      inNetns(router, () => removeXdp(ingress.ifindex, 'native'));
      for (const { namespace, name } of [source, ingress]) setLink(namespace, 'set', name, 'mtu', '9000');
      const tap = openTap(router);
      setLink(router, 'set', tap.name, 'mtu', '9000');
      const config = { onMiss: 'aborted', key: 'ingress', broadcast: false, excludeIngress: false } as const;
      using loaded = loadRedirectProgram('redirect_devmap_hash', config, undefined);
      const key = encodeInteger(ingress.ifindex, 4);
      inNetns(router, () => {
        loaded.targets.update(key, encodePair(tap.ifindex, 0, loaded.targets.info.valueSize), 0);
        attachXdp(ingress.ifindex, loaded.program.fd, 'native');
      });
      return tap;
    },
    send({ source }) {
      inNetns(source.namespace ?? '', () => {
        using socket = new PacketSocket(source.name);
        for (let sent = 0; sent < 34; sent += 1) socket.send(socket.frame(8000));
      });
    },
    finding: () => ({ certainty: 'likely', errno: 95 }),
    // Before, xdp_do_redirect() gives up before its tracepoint.
    blind: kernelHas('6.3') ? [] : everybody,
  },
];
