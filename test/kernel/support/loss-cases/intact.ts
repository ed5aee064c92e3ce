import { counters, type End } from '../../../support/world.ts';
import { forward, type IntactCase } from '../loss-case.ts';
import { enterSocket } from './xskmap.ts';

/** Waits until an interface has received as many frames. */
async function untilReceived(end: End, count: number): Promise<void> {
  while (counters(end).received < count) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Paths on which nothing is lost, so that nothing must be found. */
export const intact: readonly IntactCase[] = [
  {
    how: 'to a device',
    count: 61,
    program: 'forward',
    breakIt: (path) => forward(path),
    untilArrived: ({ sink }) => untilReceived(sink, 61),
  },
  {
    how: 'to a device',
    count: 62,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt: (path) => forward(path),
    untilArrived: ({ sink }) => untilReceived(sink, 62),
  },
  {
    how: 'to all of a map, which has one',
    since: '5.14',
    count: 63,
    program: 'to_all',
    breakIt: (path) => path.setEntry('targets', 2, path.egress.ifindex),
    untilArrived: ({ sink }) => untilReceived(sink, 63),
  },
  {
    how: 'to a device by way of another CPU',
    count: 65,
    program: 'to_cpu',
    breakIt(path) {
      path.setEntry('cpus', 0, 192, 'cpu_forward');
      forward(path);
    },
    untilArrived: ({ sink }) => untilReceived(sink, 65),
  },
  {
    how: 'to an AF_XDP socket',
    count: 32,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.ingress.ifindex }),
    async untilArrived({ ingress }) {
      await untilReceived(ingress, 32);
    },
  },
];
