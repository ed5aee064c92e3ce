import { arrayOf, count, dryRunSchema, type JsonSchema, objectOf, text } from '../json-schema.ts';

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
        }),
      },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
};
