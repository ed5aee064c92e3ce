import { arrayOf, count, type JsonSchema, objectOf, silentSchema, text } from '../json-schema.ts';

const holder = objectOf({ pid: count('of the process'), comm: text('its name') });

const link = objectOf({
  id: count("the link's id"),
  type: { type: ['string', 'integer'], description: 'xdp, tracing, …; a number when it is newer than this xdpctl' },
  prog_id: count('the program that it holds'),
  'devname?': text('of an XDP link the interface, where that is in this network namespace, as bpftool calls the key'),
  'ifindex?': count('of an XDP link the ifindex in its network namespace; 0 when it is detached'),
  'ifname?': text('the same as devname'),
  'pinned?': arrayOf({ type: 'string' }, 'paths of its pins; only for one link, or with --bpffs'),
  'pids?': arrayOf(holder, 'who holds it open; only for one link, or with --bpffs'),
});

/** What the verbs of `link` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  show: {
    anyOf: [
      { title: 'without LINK', ...arrayOf(link) },
      { title: 'with LINK', ...link },
    ],
  },
  pin: silentSchema,
  detach: silentSchema,
};
