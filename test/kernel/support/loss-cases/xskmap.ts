import { type XskSpec, XskSocket } from '../../../../src/kernel/af-xdp/socket.ts';
import { inNetns } from '../../../../src/kernel/netns.ts';
import { sendFrames } from '../../../support/frames.ts';
import { setLink } from '../../../support/world.ts';
import type { LossCase } from '../loss-case.ts';
import type { LossyPath } from '../lossy-path.ts';

interface SocketOptions extends Partial<XskSpec> {
  /** Ifindex of the device whose queue 0 it is bound to; absent for a socket that is not bound. */
  readonly ifindex?: number;
  /** Free buffers that it gives the kernel. */
  readonly buffers?: number;
}

/** Puts an AF_XDP socket that never reads into the map of the path. */
function enterSocket(path: LossyPath, { ifindex, buffers = 64, ...spec }: SocketOptions = {}): Disposable {
  const sizes = { frames: 64, frameSize: 2048, rxSize: 64, fillSize: 64, completionSize: 64, ...spec };
  const socket = inNetns(path.router, () => XskSocket.open(sizes));
  const { fill } = socket;
  for (let index = 0; index < buffers; index += 1) fill.words[2 * index] = index * sizes.frameSize;
  fill.submit(buffers);
  if (ifindex !== undefined && !inNetns(path.router, () => socket.bind(ifindex, 0, 'copy'))) {
    throw new Error('the queue has a socket already');
  }
  using map = path.openMap('sockets');
  map.update(new Uint8Array(4), new Uint8Array(Uint32Array.of(socket.fd).buffer), 0);
  return socket;
}

/** Frames that an AF_XDP socket does not take. */
export const xskmap: readonly LossCase[] = [
  {
    code: 'xsk-unbound',
    count: 18,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path),
    finding: () => ({ certainty: 'certain', errno: 6, key: 0 }),
  },
  {
    code: 'xsk-unbound',
    name: 'its device is gone',
    count: 42,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.egress.ifindex }),
    send(path) {
      setLink(path.router, 'del', path.egress.name);
      sendFrames(path.source, { count: 42 });
    },
    finding: () => ({ certainty: 'certain', errno: 6, key: 0 }),
  },
  {
    code: 'xsk-wrong-queue',
    count: 25,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.egress.ifindex }),
    finding: () => ({ certainty: 'certain', errno: 22, key: 0 }),
  },
  {
    code: 'xsk-fill-ring-empty',
    count: 26,
    lost: () => 23,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.ingress.ifindex, buffers: 3 }),
    finding: () => ({ certainty: 'certain', errno: 12, key: 0 }),
  },
  {
    code: 'xsk-rx-ring-full',
    count: 27,
    lost: () => 19,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.ingress.ifindex, rxSize: 8 }),
    finding: () => ({ certainty: 'certain', errno: 105, key: 0 }),
  },
  {
    code: 'xsk-frame-too-large',
    count: 28,
    size: 1793,
    program: 'to_socket',
    breakIt(path) {
      for (const { namespace, name } of [path.source, path.ingress]) setLink(namespace, 'set', name, 'mtu', '3000');
      return enterSocket(path, { ifindex: path.ingress.ifindex });
    },
    finding: () => ({ certainty: 'certain', errno: 28, key: 0 }),
  },
];
