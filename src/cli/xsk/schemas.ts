import { arrayOf, count, dryRunSchema, type JsonSchema, objectOf, text } from '../json-schema.ts';

const losses = arrayOf(
  objectOf({ code: text('why; see xdpctl-debug(8)'), count: count('lost frames'), fix: text('what mends it') }),
  'frames that the kernel could not give to the socket',
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
  statistics: objectOf(
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
  ),
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

/** What the verbs of `xsk` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  bind: {
    anyOf: [
      { title: 'at the end', ...summary },
      { title: 'each interval, with --interval', ...interval },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
};
