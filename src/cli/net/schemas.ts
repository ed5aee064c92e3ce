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

const yesOrNo = (description: string): JsonSchema => ({ type: 'boolean', description });

const features = objectOf({
  ifname: text('the interface'),
  ifindex: count('of it'),
  'kind?': text('veth, bridge, …; absent for hardware and lo'),
  'driver?': text('of hardware'),
  'basic?': yesOrNo('runs XDP programs in native mode; like the others absent where the kernel does not tell'),
  'redirect?': yesOrNo('programs on it may redirect'),
  'ndo_xmit?': yesOrNo('transmits frames that are redirected to it'),
  'ndo_xmit_sg?': yesOrNo('those of several buffers too'),
  'rx_sg?': yesOrNo('receives frames of several buffers'),
  'xsk_zerocopy?': yesOrNo('AF_XDP sockets without copies'),
  'hw_offload?': yesOrNo('runs programs on the card'),
  'xdp_zc_max_segs?': count('most buffers of a frame in zero-copy mode'),
  'rx_queues?': count('receive queues in use'),
  'tx_queues?': count('transmit queues in use'),
  advice: arrayOf(
    objectOf({
      feature: { enum: ['basic', 'ndo_xmit', 'ndo_xmit_sg', 'xsk_zerocopy'], description: 'what it cannot do' },
      reason: text('why'),
      'fix?': text('a command to type; absent where nothing mends it'),
    }),
    'what to do about a no',
  ),
});

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
  features: {
    anyOf: [
      { title: 'without dev IF', ...arrayOf(features) },
      { title: 'with dev IF', ...features },
    ],
  },
};
