import { causes } from './cause.ts';

/** Lost on the way to an AF_XDP socket. */
export const toSocket = causes([
  {
    code: 'xsk-unbound',
    summary: 'the socket in the map is not bound, or its device is gone (ENXIO)',
    explanation:
      'The kernel takes sockets into an XSKMAP before they are bound, and keeps those whose device is gone. Such a ' +
      'socket gets nothing, and its poll() never wakes.',
    signals: [
      { event: 'xdp_redirect_err', errno: 'ENXIO', through: 'xskmap', since: '5.19' },
      { event: 'xdp_redirect_err', errno: 'EINVAL', through: 'xskmap', before: '5.19' },
    ],
    functions: ['xsk_rcv_check'],
    fix: 'bind the socket, or start the program that owns it again; `xdpctl xsk bind DEV --queue N --map MAP` is one that works',
    versions: ['before 5.19 this is EINVAL, like a socket of another queue: the state of the socket tells them apart'],
  },
  {
    code: 'xsk-wrong-queue',
    summary: 'the socket is bound to another device or queue (EINVAL)',
    explanation:
      'A socket takes only frames of the device and queue it is bound to. None of its own statistics counts the others.',
    signals: [{ event: 'xdp_redirect_err', errno: 'EINVAL', through: 'xskmap' }],
    functions: ['xsk_rcv_check'],
    fix: 'one socket for every queue, or all frames into one queue: `ethtool -L DEV combined 1`',
  },
  {
    code: 'xsk-fill-ring-empty',
    summary: 'the application gave no buffers (ENOMEM; ENOSPC before 5.19)',
    explanation:
      "The socket has no free buffer: its fill ring is empty. The socket's statistics count it in rx_dropped and " +
      'rx_fill_ring_empty_descs. A zero-copy socket shows no event: the NIC drops the frame and counts it itself.',
    signals: [
      { event: 'xdp_redirect_err', errno: 'ENOMEM', through: 'xskmap', since: '5.19' },
      { event: 'xdp_redirect_err', errno: 'ENOSPC', through: 'xskmap', before: '5.19' },
    ],
    functions: ['__xsk_rcv'],
    fix: 'the application must put buffers back into the fill ring sooner, or have more of them',
  },
  {
    code: 'xsk-rx-ring-full',
    summary: 'the application did not consume (ENOBUFS; ENOSPC before 5.19)',
    explanation: "The socket's RX ring is full. Its statistics count it in rx_ring_full.",
    signals: [
      { event: 'xdp_redirect_err', errno: 'ENOBUFS', through: 'xskmap', since: '5.19' },
      { event: 'xdp_redirect_err', errno: 'ENOSPC', through: 'xskmap', before: '5.19' },
    ],
    functions: ['__xsk_rcv', '__xsk_rcv_zc'],
    fix: 'the application must read faster or have a larger RX ring (`xdpctl xsk bind … --rx-size N`)',
  },
  {
    code: 'xsk-frame-too-large',
    summary: 'the frame does not fit the chunk (ENOSPC)',
    explanation:
      'A buffer holds its chunk size less 256 bytes less the headroom the application asked for: 1,792 bytes of a ' +
      '2,048-byte chunk. Without XDP_USE_SG a frame must fit one buffer. Only rx_dropped counts it.',
    signals: [{ event: 'xdp_redirect_err', errno: 'ENOSPC', through: 'xskmap' }],
    functions: ['xsk_rcv_check', '__xsk_rcv'],
    fix: 'chunks of 4,096 bytes (`xdpctl xsk bind … --frame-size 4096`), XDP_USE_SG, or a smaller MTU',
    versions: [
      'before 5.19 ENOSPC can also mean an empty fill ring or a full RX ring: the statistics of the socket tell them apart',
    ],
  },
]);
