import { arrayOf, count, dryRunSchema, type JsonSchema, objectOf, text } from '../json-schema.ts';

const losses = arrayOf(
  objectOf({ code: text('why; see xdpctl-debug(8)'), count: count('lost frames'), fix: text('what mends it') }),
  'frames that the kernel could not give to the socket',
);

const statistics = objectOf(
  Object.fromEntries(
    [
      'rx_dropped',
      'rx_invalid_descs',
      'tx_invalid_descs',
      'rx_ring_full',
      'rx_fill_ring_empty_descs',
      'tx_ring_empty_descs',
    ].map((name) => [name, count('of the socket, as the kernel counts it')]),
  ),
  'XDP_STATISTICS of the socket',
);

const summary = objectOf({
  ifname: text('the interface'),
  ifindex: count('its number'),
  queue: count('the receive queue'),
  map: objectOf(
    { id: count("the map's id"), 'name?': text('its name'), key: count('the key of the socket') },
    'the XSKMAP',
  ),
  mode: { enum: ['copy', 'zerocopy'], description: 'how frames get into the memory of the socket' },
  'prog?': objectOf(
    {
      id: count("the program's id"),
      name: text('its name'),
      redirected: count('frames that it gave to the socket'),
      missed: count('frames that it left to the stack'),
    },
    'the program that --attach brought',
  ),
  frames: count('frames that were taken'),
  bytes: count('bytes of them'),
  unread: count('frames that had come and were not taken any more'),
  'sent?': count('frames that were sent back; only with --action echo'),
  'written?': count('frames that were written; only with --write'),
  duration_s: { type: 'number', description: 'seconds' },
  losses,
  statistics,
});

const interval = objectOf({
  time_s: { type: 'number', description: 'seconds since the socket was bound' },
  interval_s: { type: 'number', description: 'seconds since the last object' },
  frames: count('frames that were taken in that time'),
  bytes: count('bytes of them'),
  frames_per_s: count('frames a second'),
  bytes_per_s: count('bytes a second'),
  'sent?': count('frames that were sent back; only with --action echo'),
  losses,
});

function ringsOf(description: string): JsonSchema {
  const kinds = ['rx', 'tx', 'fill', 'completion'];
  return objectOf(Object.fromEntries(kinds.map((kind) => [`${kind}?`, count('entries')])), description);
}

const holder = objectOf({ pid: count('of the process'), comm: text('its name') });

const row = objectOf({
  'ifname?': text('the interface of a bound socket, or of a queue that has none'),
  'ifindex?': count('its number'),
  'netns?': {
    type: ['string', 'integer'],
    description: 'name, or inode number, of the network namespace; absent for that of the command',
  },
  'queue?': count('the receive queue'),
  state: {
    enum: ['bound', 'unbound', 'device-gone', 'free', 'unknown'],
    description:
      'device-gone: it was bound, and its device left. free: a queue without a socket. unknown: a socket that could not be looked at',
  },
  'mode?': { enum: ['copy', 'zerocopy'], description: 'of a bound socket' },
  'pid?': count('of the process that holds it, the first where there are several'),
  'comm?': text('its name'),
  'pids?': arrayOf(holder, 'all of them, where there are several'),
  'inode?': count('the N of socket:[N] in /proc/PID/fd; absent when no process holds it'),
  maps: arrayOf(
    objectOf({ id: count("the map's id"), 'name?': text('its name'), key: count('the key of the socket') }),
    'the XSKMAPs it is in',
  ),
  'rings?': ringsOf('sizes of its rings'),
  'rings_at_most?': ringsOf('the most entries that rings can have whose size is not known: they fit one page'),
  'statistics?': statistics,
  'losses?': arrayOf(
    objectOf({ code: text('why; see xdpctl-debug(8)'), count: count('lost frames') }),
    'frames lost since the socket was opened',
  ),
  problems: arrayOf(
    { enum: ['xsk-unbound', 'xsk-wrong-queue', 'queue-without-socket'] },
    'why frames do not get where they should',
  ),
});

/** What the verbs of `xsk` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  show: arrayOf(row),
  bind: {
    anyOf: [
      { title: 'at the end', ...summary },
      { title: 'each interval, with --interval', ...interval },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
};
