import { arrayOf, bytes, count, silentSchema, type JsonSchema, objectOf, text, wide } from '../json-schema.ts';

const holder = objectOf({ pid: count('of the process'), comm: text('its name') });

const map = objectOf({
  id: count("the map's id"),
  type: { type: ['string', 'integer'], description: 'devmap, hash, …; a number when it is newer than this xdpctl' },
  'name?': text('absent when the map has none'),
  flags: count('BPF_F_ bits, in decimal'),
  bytes_key: count('size of a key'),
  bytes_value: count('size of a value'),
  max_entries: count('how many entries it can have'),
  'bytes_memlock?': count('memory it takes'),
  frozen: { enum: [0, 1], description: '1 when user space can no longer change it' },
  'btf_id?': count('BTF object that describes it'),
  'pinned?': arrayOf({ type: 'string' }, 'paths of its pins; only for one map, or with --bpffs'),
  'pids?': arrayOf(holder, 'who holds it open; only for one map, or with --bpffs'),
});

const program = objectOf(
  { id: count("the program's id"), 'name?': text('absent when it cannot be found out') },
  'the program of the entry; absent when there is none',
);

/** The decoded value, by the map's type. */
export const formattedValues: readonly JsonSchema[] = [
  {
    title: 'devmap, devmap_hash',
    ...objectOf({
      ifindex: count('the target'),
      'ifname?': text('its name in the network namespace of the command; absent when it has none there'),
      'prog?': program,
    }),
  },
  {
    title: 'cpumap',
    ...objectOf({ qsize: count("frames that fit in the CPU's queue"), 'prog?': program }),
  },
  {
    title: 'xskmap',
    ...objectOf({
      'queue?': count('the receive queue that the socket is bound to; absent where it is not bound'),
      'state?': {
        enum: ['unbound', 'bound', 'device-gone'],
        description: 'device-gone: it was bound, and its device left. Like all below absent without CAP_PERFMON',
      },
      'mode?': { enum: ['copy', 'zerocopy'], description: 'of a bound socket' },
      'ifindex?': count("of its device, in the socket's network namespace"),
      'ifname?': text('its name, where that is the network namespace of the command'),
      'netns?': count("inode number of the socket's network namespace"),
      'inode?': count('the N of socket:[N] in /proc/PID/fd; absent when no process holds it'),
      'pid?': count('of the process that holds it, the first where there are several'),
      'comm?': text('its name'),
      'pids?': arrayOf(holder, 'all of them, where there are several'),
    }),
  },
  { title: 'values of 1, 2, 4 or 8 bytes', ...wide('the value as an unsigned integer in host byte order') },
];

/** Numbers, names, text, structs and arrays, as deep as the types go; no key is named here, so any may be there. */
const typed: JsonSchema = {
  title: 'maps with BTF types',
  type: ['object', 'array', 'string', 'number', 'boolean', 'null'],
  properties: {},
  description: 'by its type, as bpftool formats it',
};

const entry = objectOf({
  key: bytes('the key'),
  'value?': {
    anyOf: [
      { title: 'an entry', ...bytes('the value') },
      {
        title: 'an empty slot (dump … all)',
        ...objectOf({ error: text('No such file or directory, as bpftool says it') }),
      },
    ],
  },
  'values?': arrayOf(objectOf({ cpu: count('CPU'), value: bytes('its value') }), 'per-CPU maps: a value for each CPU'),
  'inner_map_id?': count('maps of maps: the id of the inner map'),
  'formatted?': objectOf(
    {
      'key?': { anyOf: [{ title: 'keys of 1, 2, 4 or 8 bytes', ...wide('the key as an unsigned integer') }, typed] },
      'value?': { anyOf: [...formattedValues, typed] },
      'values?': arrayOf(
        objectOf({
          cpu: count('CPU'),
          value: { anyOf: [{ title: 'values of 1, 2, 4 or 8 bytes', ...wide('its value') }, typed] },
        }),
        'per-CPU maps',
      ),
    },
    'the same decoded',
  ),
});

/** What the verbs of `map` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  show: {
    anyOf: [
      { title: 'without MAP', ...arrayOf(map) },
      { title: 'with MAP', ...map },
    ],
  },
  create: silentSchema,
  dump: arrayOf(entry),
  lookup: entry,
  update: silentSchema,
  delete: silentSchema,
  pin: silentSchema,
  unpin: silentSchema,
  freeze: silentSchema,
  export: objectOf({
    xdpctl: { const: 1, description: 'the version of the format' },
    map: objectOf(
      {
        type: text('devmap, hash, …'),
        'name?': text('absent when the map has none'),
        bytes_key: count('size of a key'),
        bytes_value: count('size of a value'),
        max_entries: count('how many entries it can have'),
        flags: count('BPF_F_ bits, in decimal'),
      },
      'its specification',
    ),
    entries: arrayOf(
      objectOf({
        key: { description: 'an integer, an array of bytes, or with --key-names the name of an interface' },
        value: {
          description:
            'devmap, devmap_hash: an object with dev and perhaps prog; cpumap: with qsize and perhaps prog; others: an integer, an array of bytes, or for per-CPU maps an array of those',
        },
      }),
      'the entries',
    ),
    complete: { type: 'boolean', description: 'false in a document that broke off' },
  }),
  import: silentSchema,
  getnext: objectOf({
    key: { anyOf: [{ type: 'null' }, bytes('')], description: 'the key that was given; null for the first key' },
    next_key: bytes('the key after it'),
  }),
};
