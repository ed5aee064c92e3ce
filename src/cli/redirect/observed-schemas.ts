import { healthCodes } from '../../domain/check-catalogue.ts';
import { arrayOf, count, dryRunSchema, type JsonSchema, objectOf, text } from '../json-schema.ts';

const program = objectOf(
  { id: count("the program's id"), name: text('its name'), tag: text('the hash of its instructions') },
  'the program on the interface',
);

const health = objectOf(
  {
    ok: { type: 'boolean', description: 'whether nothing is wrong' },
    problems: arrayOf({ enum: healthCodes }, 'codes of what is; see CHECK CODES'),
  },
  'what redirect check would find',
);

const inEntry = objectOf({ id: count("the program's id"), 'name?': text('its name') }, 'the program in the entry');

const values: readonly JsonSchema[] = [
  {
    title: 'devmap, devmap_hash',
    ...objectOf({
      ifindex: count('the target'),
      'ifname?': text('its name; absent when it cannot be found'),
      'netns?': text("its network namespace; absent when it is the command's own"),
      'prog?': inEntry,
    }),
  },
  { title: 'cpumap', ...objectOf({ qsize: count("frames that fit in the CPU's queue"), 'prog?': inEntry }) },
  {
    title: 'xskmap',
    ...objectOf({
      'queue?': count('the receive queue that the socket is bound to; absent where it is not bound'),
      'state?': { enum: ['unbound', 'bound', 'device-gone'], description: 'absent without CAP_PERFMON' },
      'mode?': { enum: ['copy', 'zerocopy'], description: 'of a bound socket' },
      'ifindex?': count("of its device, in the socket's network namespace"),
      'ifname?': text('its name, where that is the network namespace of the command'),
      'netns?': count("inode number of the socket's network namespace"),
      'inode?': count('the N of socket:[N] in /proc/PID/fd; absent when no process holds it'),
      'pid?': count('of a process that holds it'),
      'comm?': text('its name'),
    }),
  },
];

function device(description: string): JsonSchema {
  return objectOf(
    {
      ifindex: count('its number'),
      'ifname?': text('its name'),
      'netns?': text("its network namespace; absent when it is the command's own"),
    },
    description,
  );
}

const show = arrayOf(
  objectOf({
    ifname: text('the interface where frames arrive'),
    ifindex: count('its number'),
    mode: { enum: ['native', 'generic', 'offload'], description: 'how the program is attached' },
    prog: program,
    'components?': arrayOf(program, 'the programs that it calls, when it is the dispatcher of libxdp'),
    'link_id?': count('the BPF link by which it is attached; absent when it was attached by netlink'),
    health,
    maps: arrayOf(
      objectOf({
        id: count("the map's id"),
        name: text('its name; empty when it has none'),
        type: { enum: ['devmap', 'devmap_hash', 'cpumap', 'xskmap'], description: 'its type' },
        max_entries: count('how many entries it can have'),
        'used?': count('how many it has; absent where they cannot be read'),
        pinned: arrayOf({ type: 'string' }, 'paths of its pins'),
        entries: arrayOf(
          objectOf({
            key: arrayOf({ type: 'string', pattern: '^0x[0-9a-f]{2}$' }, 'its bytes'),
            formatted: objectOf(
              { key: count('the key as a number'), value: { anyOf: values } },
              'the entry in words, as map dump has it',
            ),
            health,
          }),
          'the occupied entries',
        ),
      }),
      'the redirect maps of the program',
    ),
  }),
  'the paths, by interface',
);

const check = arrayOf(
  objectOf({
    code: { enum: healthCodes, description: 'what is wrong; see CHECK CODES' },
    certainty: {
      enum: ['certain', 'likely'],
      description: 'likely where it depends on the program, the driver or the intention',
    },
    from: device('the interface where the frames arrive'),
    'to?': device('the interface that they are for'),
    prog: objectOf({ id: count("the program's id"), 'name?': text('its name') }, 'the program that redirects them'),
    'map?': objectOf(
      {
        id: count("the map's id"),
        'name?': text('its name'),
        'pinned?': arrayOf({ type: 'string' }, 'paths of its pins'),
      },
      'the map through which they go',
    ),
    'key?': count('the key'),
    explanation: text('what is wrong, in a sentence'),
    'fix?': text(
      'the command that mends it, quoted for the shell; words in capitals stand for what only the reader knows',
    ),
  }),
  'the problems; empty when there are none',
);

const test = objectOf({
  ifname: text('the interface where the frames seemed to arrive'),
  ifindex: count('its number'),
  queue: { const: 0, description: 'the receive queue: the kernel makes frames of no other' },
  prog: objectOf({ id: count("the program's id"), 'name?': text('its name') }, 'the program that ran on the frames'),
  size: count('bytes of a frame'),
  sent: count('frames; sent + copies = delivered + passed + sent_back + dropped'),
  copies: count('what a broadcast made of them beyond one each'),
  delivered: count('frames that the driver of a target took, a CPU passed on, or a socket got'),
  passed: count('frames that went to the network stack of this host'),
  sent_back: count('frames that left by the interface itself'),
  dropped: count('all others'),
  targets: arrayOf(
    objectOf({
      'to?': device('an interface'),
      'cpu?': count('a CPU'),
      'key?': count('the key of an AF_XDP socket'),
      delivered: count('frames'),
    }),
    'where frames arrived',
  ),
  findings: arrayOf(
    objectOf({
      code: { enum: healthCodes, description: 'why; see CHECK CODES' },
      certainty: { enum: ['certain', 'likely'], description: 'likely where something else would look the same' },
      count: count('frames'),
      'event?': text('the tracepoint that told of them; absent where they are what is left of all'),
      'errno?': count('the errno of the event'),
      'errnoName?': text('its name, such as EOPNOTSUPP'),
      'from?': device('the interface where the frames seemed to arrive'),
      'to?': device('the interface that they were for'),
      'prog?': objectOf(
        {
          id: count("the program's id"),
          'name?': text('its name'),
          'role?': {
            enum: ['ingress', 'egress', 'cpumap'],
            description: 'where it runs: at the interface, or in the entry of a devmap or of a cpumap',
          },
        },
        'the program',
      ),
      'map?': objectOf(
        {
          id: count("the map's id"),
          'name?': text('its name'),
          'pinned?': arrayOf({ type: 'string' }, 'paths of its pins'),
        },
        'the map through which they went',
      ),
      'key?': count('the key that was looked up'),
      'cpu?': count('the CPU'),
      explanation: text('what happened, in a sentence'),
      'fix?': text('the command that mends it, quoted for the shell'),
    }),
    'why frames were dropped, most frames first',
  ),
});

/** What the verbs of `redirect` that look at the system print with -j. */
export const observedSchemas: Readonly<Record<string, JsonSchema>> = {
  show,
  check,
  test: {
    anyOf: [
      { title: 'done', ...test },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
};
