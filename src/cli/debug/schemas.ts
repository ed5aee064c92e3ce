import { dropCodes } from '../../domain/drop-catalogue.ts';
import { arrayOf, count, type JsonSchema, objectOf, text } from '../json-schema.ts';

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

const finding = objectOf({
  code: { enum: dropCodes, description: 'why; see DROP CODES' },
  certainty: {
    enum: ['certain', 'likely'],
    description: 'likely where something else would look the same, certain where the live system confirms it',
  },
  count: count('lost frames'),
  event: text('the tracepoint that told of them'),
  'errno?': count('the errno of the event'),
  'errnoName?': text('its name, such as EOPNOTSUPP'),
  'from?': device('the interface where the frames arrived'),
  'to?': device('the interface through which they were to leave'),
  'prog?': objectOf(
    {
      id: count("the program's id"),
      'name?': text('its name'),
      'role?': {
        enum: ['ingress', 'egress', 'cpumap'],
        description: 'where it runs: at the interface where frames arrive, or in the entry of a devmap or a cpumap',
      },
    },
    'the program that redirected them',
  ),
  'map?': objectOf(
    {
      id: count("the map's id"),
      'name?': text('its name'),
      'pinned?': arrayOf({ type: 'string' }, 'paths of its pins'),
    },
    'the map through which they were redirected',
  ),
  'key?': count('the key that was looked up'),
  'cpu?': count('the CPU on which it happened'),
  explanation: text('what happened, in a sentence'),
  'fix?': text(
    'the command that mends it, quoted for the shell; words in capitals stand for what only the reader knows',
  ),
});

const signal = objectOf({
  event: text('the tracepoint'),
  'errno?': text('name of the errno; 0 where the event says that nothing is wrong'),
  'field?': text('the number of the event that says how many frames'),
  'action?': text('what the program returned'),
  'reason?': text('the drop reason of kfree_skb'),
  'through?': text('the kind of map'),
  'mode?': text('native or generic, where it is only one of them'),
  'since?': text('first kernel that shows it so'),
  'before?': text('first kernel that no longer does'),
});

const findings = arrayOf(finding, 'what was lost and why, most frames first');

const totals = objectOf(
  { 'redirected?': count('frames whose redirect succeeded; only with --conserve'), dropped: count('lost frames') },
  'sums',
);

const dropsReport = objectOf({
  backend: text('what counted'),
  kernel: text('release of the kernel'),
  duration_s: { type: 'number', description: 'seconds for which it counted' },
  events: arrayOf({ type: 'string' }, 'the tracepoints that were counted'),
  totals,
  findings,
  blind: arrayOf({ type: 'string' }, 'what this backend on this kernel cannot see'),
  'undercount?': arrayOf({ type: 'string' }, 'in what way the counts are too low; absent when nothing was missed'),
});

const printedCommand = objectOf({
  backend: { enum: ['bpftrace', 'perf'], description: 'whose command it is' },
  command: text('the command, quoted for the shell'),
});

const intervalReport = objectOf({
  interval: count('its number, from 1 on'),
  time_s: { type: 'number', description: 'seconds since counting began' },
  interval_s: { type: 'number', description: 'seconds since the last object' },
  totals,
  findings,
});

/** What the verbs of `debug` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  drops: {
    anyOf: [
      { title: 'in all', ...dropsReport },
      { title: 'with --interval or --follow, before that and in a line each', ...intervalReport },
      { title: 'with --print-command', ...printedCommand },
    ],
  },
  events: objectOf({
    backend: text('what counted'),
    kernel: text('release of the kernel'),
    duration_s: { type: 'number', description: 'seconds for which it counted' },
    events: arrayOf(
      objectOf({ event: text('the tracepoint'), count: count('how often it was hit') }),
      'the tracepoints of this kernel, most hits first',
    ),
  }),
  record: objectOf({
    file: text('the file'),
    bytes: count('of it'),
    duration_s: { type: 'number', description: 'seconds for which it recorded' },
    events: arrayOf({ type: 'string' }, 'the tracepoints that were recorded'),
    'full?': { const: true, description: 'it ended because the file was as large as it might become' },
  }),
  explain: arrayOf(
    objectOf({
      code: text('the code'),
      summary: text('why the frame was lost, in short'),
      explanation: text('what happens in the kernel'),
      signals: arrayOf(signal, 'how the kernel shows it'),
      functions: arrayOf({ type: 'string' }, 'the kernel functions that lose the frame'),
      fix: text('what mends it'),
      'versions?': arrayOf({ type: 'string' }, 'what differs between kernels'),
    }),
  ),
};
