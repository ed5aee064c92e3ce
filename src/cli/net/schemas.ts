import { arrayOf, count, type JsonSchema, objectOf, silentSchema, text } from '../json-schema.ts';

const attachment = {
  mode: { enum: ['driver', 'generic', 'offload'], description: 'driver is native mode' },
  id: count("the program's id"),
  'name?': text('its name; absent when it has none, or may not be looked at'),
  'tag?': text('its tag'),
  'link_id?': count('the link that holds it there'),
  'map_ids?': arrayOf({ type: 'integer' }, 'the maps it uses; absent when it uses none'),
} as const;

const device = {
  devname: text('the interface, as bpftool calls the key'),
  ifindex: count('of the interface'),
  ifname: text('the interface'),
} as const;

/** What the verbs of `net` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  show: arrayOf(
    objectOf({
      xdp: arrayOf(
        {
          anyOf: [
            { title: 'a device with one program', ...objectOf({ ...device, ...attachment }) },
            {
              title: 'a device with several',
              ...objectOf({ ...device, multi_attachments: arrayOf(objectOf(attachment), 'its programs') }),
            },
          ],
        },
        'the devices that have XDP programs',
      ),
      tc: arrayOf({ type: 'object' }, 'empty'),
      flow_dissector: arrayOf({ type: 'object' }, 'empty'),
      netfilter: arrayOf({ type: 'object' }, 'empty'),
    }),
    'one element',
  ),
  attach: silentSchema,
  detach: silentSchema,
};
