import { type XskSpec, XskSocket } from '../../../../src/kernel/af-xdp/socket.ts';
import { inNetns } from '../../../../src/kernel/netns.ts';
import { XskmapReader } from '../../../../src/kernel/xskmap-reader.ts';
import { sendFrames } from '../../../support/frames.ts';
import { kernelHas } from '../../../support/kernel-has.ts';
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
export function enterSocket(path: LossyPath, { ifindex, buffers = 64, ...spec }: SocketOptions = {}): XskSocket {
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

/** Waits until the kernel has taken a closed socket out of the map, which it does in its own time. */
async function untilRemoved(path: LossyPath): Promise<void> {
  using map = path.openMap('sockets');
  using reader = new XskmapReader(map);
  while (reader.entry(0) !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Frames that an AF_XDP socket does not take; Linux 5.19 has given each reason an errno of its own. */
export const xskmap: readonly LossCase[] = [
  {
    code: 'map-miss',
    how: 'no socket at the key',
    count: 46,
    program: 'to_socket',
    finding: () => ({ certainty: 'likely' }),
  },
  {
    code: 'map-miss',
    how: 'the socket has been closed',
    count: 47,
    program: 'to_socket',
    async send(path) {
      enterSocket(path, { ifindex: path.ingress.ifindex })[Symbol.dispose]();
      await untilRemoved(path);
      sendFrames(path.source, { count: 47 });
    },
    finding: () => ({ certainty: 'likely' }),
  },
  {
    code: 'xsk-unbound',
    how: 'the socket is not bound',
    count: 18,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path),
    finding: () => ({ certainty: 'certain', errno: kernelHas('5.19') ? 6 : 22, key: 0 }),
  },
  {
    code: 'xsk-unbound',
    how: 'the device of the socket is gone',
    count: 42,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.egress.ifindex }),
    send(path) {
      setLink(path.router, 'del', path.egress.name);
      sendFrames(path.source, { count: 42 });
    },
    finding: () => ({ certainty: 'certain', errno: kernelHas('5.19') ? 6 : 22, key: 0 }),
  },
  {
    code: 'xsk-wrong-queue',
    how: 'the socket is bound to another device',
    count: 25,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.egress.ifindex }),
    finding: () => ({ certainty: 'certain', errno: 22, key: 0 }),
  },
  {
    code: 'xsk-fill-ring-empty',
    how: 'three buffers in the fill ring',
    count: 26,
    lost: () => 23,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.ingress.ifindex, buffers: 3 }),
    finding: () => ({ certainty: 'certain', errno: kernelHas('5.19') ? 12 : 28, key: 0 }),
  },
  {
    code: 'xsk-fill-ring-empty',
    how: 'three buffers in the fill ring',
    count: 48,
    lost: () => 45,
    program: 'to_socket',
    mode: 'xdpgeneric',
    breakIt: (path) => enterSocket(path, { ifindex: path.ingress.ifindex, buffers: 3 }),
    finding: () => ({ certainty: 'certain', errno: kernelHas('5.19') ? 12 : 28, key: 0 }),
  },
  {
    code: 'xsk-rx-ring-full',
    how: 'an RX ring of 8 frames',
    count: 27,
    lost: () => 19,
    program: 'to_socket',
    breakIt: (path) => enterSocket(path, { ifindex: path.ingress.ifindex, rxSize: 8 }),
    finding: () => ({ certainty: 'certain', errno: kernelHas('5.19') ? 105 : 28, key: 0 }),
  },
  {
    code: 'xsk-frame-too-large',
    how: '1793 bytes for 2048-byte buffers',
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
