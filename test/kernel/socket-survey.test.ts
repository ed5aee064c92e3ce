import { describe, expect, it } from 'vitest';

import { encodeInteger } from '../../src/domain/integer.ts';
import { queuesWithSockets } from '../../src/kernel/af-xdp/queue-sockets.ts';
import { surveySockets, type SurveyedSocket } from '../../src/kernel/af-xdp/socket-survey.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { BPF_ANY, BpfMap } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { kernelHas } from '../support/kernel-has.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { createWorld } from '../support/world.ts';

const spec = { frames: 64, frameSize: 2048, rxSize: 1024, fillSize: 16, completionSize: 2048, txSize: 512 };

function mine(sockets: readonly SurveyedSocket[], fd: number): SurveyedSocket | undefined {
  return sockets.find(({ owners }) => owners.some((owner) => owner.pid === process.pid && owner.fd === fd));
}

describe('the survey of AF_XDP sockets', () => {
  it('finds them in maps and without, bound and unbound, and leaves nothing', async () => {
    const before = kernelState();
    {
      using world = createWorld();
      const namespace = world.namespace();
      const { a } = world.veth({ namespace }, { namespace });
      using map = BpfMap.create({ type: 17, name: 'sockets', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 });
      using entered = XskSocket.open(spec);
      using bound = inNetns(namespace, () => XskSocket.open(spec));
      expect(bound.bind(a.ifindex, 0, 'copy')).toBe(true);
      map.update(encodeInteger(3, 4), encodeInteger(entered.fd, 4), BPF_ANY);

      const { sockets, mapIds, refusal, inNamespace } = inNetns(namespace, surveySockets);
      expect(refusal).toBeUndefined();
      expect(inNamespace).toBe(1);
      expect(mapIds).toContain(map.info.id);
      expect(mine(sockets, entered.fd)).toMatchObject({
        details: { state: 'unbound' },
        places: [{ mapId: map.info.id, key: 3 }],
      });
      expect(mine(sockets, bound.fd)).toMatchObject({
        details: { state: 'bound', ifindex: a.ifindex, queue: 0, zeroCopy: false },
        places: [],
        rings: {
          rx: { entries: 1024, exact: true },
          tx: { entries: 512, exact: true },
          completion: { entries: 2048, exact: true },
          fill: { exact: false },
        },
        statistics: { rx_dropped: 0, rx_ring_full: 0 },
      });
      const queues = kernelHas('6.15') ? [{ ifindex: a.ifindex, queue: 0 }] : undefined;
      expect(inNetns(namespace, queuesWithSockets)).toEqual(queues);
    }
    await expectNothingNew(before);
  });
});
