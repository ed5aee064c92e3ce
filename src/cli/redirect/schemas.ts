import { arrayOf, count, dryRunSchema, type JsonSchema, objectOf, text } from '../json-schema.ts';

const device = {
  ifname: text('the interface where frames arrive'),
  ifindex: count('its number'),
  mode: { enum: ['native', 'generic'], description: 'how the program is attached' },
} as const satisfies Record<string, JsonSchema>;

/** What the verbs of `redirect` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  attach: {
    anyOf: [
      {
        title: 'done',
        ...objectOf({
          ...device,
          prog: objectOf(
            { id: count("the program's id"), name: text('its name'), tag: text('the hash of its instructions') },
            'the program that is attached now',
          ),
          maps: arrayOf(
            objectOf({
              id: count("the map's id"),
              name: text('its name'),
              type: text('devmap_hash, …'),
              pinned: text('where it is pinned'),
            }),
            'the maps it redirects through',
          ),
          targets: arrayOf({ type: 'string' }, 'the interfaces where frames leave'),
        }),
      },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
  detach: {
    anyOf: [
      {
        title: 'done',
        ...objectOf({
          ...device,
          removed: objectOf({ prog: objectOf({ id: count("the program's id") }, 'the program') }, 'what went'),
        }),
      },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
};
