import { arrayOf, count, dryRunSchema, type JsonSchema, objectOf, text } from '../json-schema.ts';
import { observedSchemas } from './observed-schemas.ts';

const device = {
  ifname: text('the interface where frames arrive'),
  ifindex: count('its number'),
  mode: { enum: ['native', 'generic'], description: 'how the program is attached' },
} as const satisfies Record<string, JsonSchema>;

const placed = {
  ...device,
  prog: objectOf(
    { id: count("the program's id"), name: text('its name'), tag: text('the hash of its instructions') },
    'the program that is attached now',
  ),
  'link_id?': count('the BPF link by which it is attached; only with --link'),
  maps: arrayOf(
    objectOf({
      id: count("the map's id"),
      name: text('its name'),
      type: text('devmap_hash, …'),
      pinned: text('where it is pinned'),
    }),
    'the maps it redirects through; with --object all maps of the file',
  ),
  'targets?': arrayOf({ type: 'string' }, 'the interfaces where frames leave'),
  'cpus?': arrayOf({ type: 'integer' }, 'the CPUs that frames are spread over'),
} as const satisfies Record<string, JsonSchema>;

const changes = arrayOf(
  objectOf({
    ifname: device.ifname,
    ifindex: device.ifindex,
    change: { enum: ['attach', 'replace', 'update', 'detach'], description: 'update writes entries in place' },
    gap: { type: 'boolean', description: 'whether frames go to the stack for a moment' },
    details: arrayOf({ type: 'string' }, 'the same in words'),
  }),
  'empty when all is as declared',
);

const key = {
  'key?': count('absent for the frames of all keys that found no room for counters of their own'),
  label: text('what the key stands for: an interface, a receive queue, a CPU'),
} as const satisfies Record<string, JsonSchema>;

const counted = objectOf({
  ...device,
  prog: objectOf({ id: count("the program's id"), 'name?': text('its name') }, 'the program that is attached'),
  counted: {
    type: 'boolean',
    description: 'whether there are counters: only programs that come with xdpctl have them',
  },
  keys: arrayOf(
    objectOf({
      ...key,
      'target?': text('the interface where frames of this key leave'),
      redirected: count('frames whose key had an entry, since the program was loaded'),
      missed: count('frames whose key had none'),
      'redirected_per_s?': count('only with --interval or --count'),
      'missed_per_s?': count('only with --interval or --count'),
    }),
    'what the redirect program counted',
  ),
  egress: arrayOf(
    objectOf({
      ...key,
      passed: count('frames that the program in the entry passed'),
      dropped: count('frames that it dropped'),
      'passed_per_s?': count('only with --interval or --count'),
      'dropped_per_s?': count('only with --interval or --count'),
    }),
    'what the programs in the entries counted',
  ),
});

/** A path of the document of apply, diff and export. */
const path = objectOf({
  dev: text('the interface where frames arrive'),
  'to?': arrayOf(
    {
      anyOf: [
        { title: 'an interface', type: 'string' },
        {
          title: 'an interface with more',
          ...objectOf({
            dev: text('the interface'),
            'key?': count('the key of its entry; else it follows from the key of the path'),
            'egress?': text('the program in its entry'),
            'dst_mac?': text('the destination address that frames leave with'),
            'src_mac?': text('the source address that frames leave with'),
          }),
        },
      ],
    },
    'where frames leave',
  ),
  'broadcast?': { type: 'boolean', description: 'each frame leaves by all of them' },
  'exclude_ingress?': { type: 'boolean', description: 'but not by the one it came by' },
  'egress?': text('a program that frames run through before they leave: a path, id:N, builtin:pass or builtin:drop'),
  'dst_mac?': text('the destination address that frames leave with'),
  'src_mac?': text('the source address that frames leave with'),
  'cpus?': arrayOf(
    {
      anyOf: [
        { title: 'a CPU', ...count('its number') },
        {
          title: 'a CPU with more',
          ...objectOf({
            cpu: count('its number'),
            'qsize?': count('frames that fit in its queue'),
            'prog?': text('a program that runs there'),
          }),
        },
      ],
    },
    'CPUs that flows are spread over',
  ),
  'qsize?': count("frames that fit in a CPU's queue (default 2048)"),
  'prog?': text('a program that runs on those CPUs'),
  'xsk?': { type: 'boolean', description: 'to AF_XDP sockets, by receive queue' },
  'map?': text('through a map that exists: a path, id:N or name:NAME'),
  'object?': text('a file with a program of your own'),
  'program?': text('its name there'),
  'key?': {
    anyOf: [{ enum: ['ingress', 'queue'] }, count('always this key')],
    description: 'what is looked up in the map',
  },
  'on_miss?': {
    enum: ['aborted', 'drop', 'pass', 'tx'],
    description: 'what happens to a frame whose key has no entry',
  },
  'mode?': { enum: ['native', 'generic'], description: 'native when absent' },
  'link?': { type: 'boolean', description: 'attached by a BPF link' },
});

/** What the verbs of `redirect` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  attach: {
    anyOf: [
      { title: 'done', ...objectOf({ ...placed, 'back?': objectOf(placed, 'the way back; only with --both') }) },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
  detach: {
    anyOf: [
      {
        title: 'done',
        ...objectOf({
          ...device,
          removed: objectOf(
            {
              prog: objectOf({ id: count("the program's id"), 'name?': text('its name') }, 'the program'),
              'link_id?': count('the BPF link by which it was attached'),
              'pins?': text('the directory of pins that attach had made'),
            },
            'what went',
          ),
          'kept?': arrayOf({ type: 'string' }, 'pins that the file of programs wants its maps to have'),
        }),
      },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
  stats: {
    anyOf: [
      { title: 'once', ...arrayOf(counted) },
      {
        title: 'with --interval or --count, an object a line',
        ...objectOf({
          interval_s: { type: 'number', description: 'seconds since the line before' },
          paths: arrayOf(counted),
        }),
      },
    ],
  },
  apply: {
    anyOf: [
      { title: 'done', ...changes },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
  diff: changes,
  ...observedSchemas,
  export: objectOf({
    xdpctl: { const: 1, description: 'the version of the format' },
    redirects: arrayOf(path, 'the paths, one for each device'),
  }),
};
