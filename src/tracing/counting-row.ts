import { type DropCounter, type DropEvent, noMapId } from '../domain/drop-counter.ts';
import type { DropFilter } from '../domain/drop-filter.ts';
import type { FlowCounter } from '../domain/flow-counter.ts';
import type { EventFormat } from './event-format.ts';
import type { Events } from './tracefs.ts';

/** What of a counter a field of the event becomes. */
type Property = Exclude<keyof DropCounter, 'event' | 'field' | 'count' | 'reason' | 'where'>;

/** A tracepoint that is counted by its fields. */
type CountedEvent = Exclude<DropEvent, 'kfree_skb'>;

interface KeyField {
  readonly field: string;
  readonly as: Property;
  /** The event has the negative of it. */
  readonly negated?: true;
  /** Kernels without the field are counted all the same. */
  readonly optional?: true;
}

/** One way to count lost frames: an event, what of it is counted, and by what the counts are told apart. */
export interface CountingRow {
  /** Also the name of bpftrace's map. */
  readonly name: string;
  readonly event: CountedEvent;
  /** The field whose values are added up, those above 0 only; absent: every event is one frame. */
  readonly amount?: 'drops' | 'xdp_drop' | 'sent';
  readonly keys: readonly KeyField[];
  /** No losses, but what they are compared with. */
  readonly flow?: FlowCounter['kind'];
}

const redirectKeys: readonly KeyField[] = [
  { field: 'ifindex', as: 'fromIfindex' },
  { field: 'prog_id', as: 'progId' },
  { field: 'map_id', as: 'mapId' },
  { field: 'map_index', as: 'mapIndex' },
  { field: 'to_ifindex', as: 'toIfindex' },
  { field: 'err', as: 'errno', negated: true },
];

/**
 * Everything that says by itself that a frame was lost (include/trace/events/xdp.h). Fields and events are those of this
 * list only where the running kernel has them.
 */
const allRows: readonly CountingRow[] = [
  { name: 'redirect_err', event: 'xdp_redirect_err', keys: redirectKeys },
  // Mute since 5.6, gone since 6.17.
  { name: 'redirect_map_err', event: 'xdp_redirect_map_err', keys: redirectKeys },
  {
    name: 'exception',
    event: 'xdp_exception',
    keys: [
      { field: 'ifindex', as: 'fromIfindex' },
      { field: 'prog_id', as: 'progId' },
      { field: 'act', as: 'action' },
    ],
  },
  {
    name: 'devmap_xmit',
    event: 'xdp_devmap_xmit',
    amount: 'drops',
    keys: [
      { field: 'from_ifindex', as: 'fromIfindex' },
      { field: 'to_ifindex', as: 'toIfindex' },
      { field: 'err', as: 'errno', negated: true },
      // Before 5.6 only.
      { field: 'map_id', as: 'mapId', optional: true },
      { field: 'map_index', as: 'mapIndex', optional: true },
    ],
  },
  {
    name: 'cpumap_enqueue',
    event: 'xdp_cpumap_enqueue',
    amount: 'drops',
    keys: [
      { field: 'map_id', as: 'mapId' },
      { field: 'cpu', as: 'cpu' },
      { field: 'to_cpu', as: 'toCpu' },
    ],
  },
  {
    name: 'cpumap_kthread_drops',
    event: 'xdp_cpumap_kthread',
    amount: 'drops',
    keys: [
      { field: 'map_id', as: 'mapId' },
      { field: 'cpu', as: 'toCpu' },
    ],
  },
  {
    name: 'cpumap_kthread_xdp_drop',
    event: 'xdp_cpumap_kthread',
    amount: 'xdp_drop',
    keys: [
      { field: 'map_id', as: 'mapId' },
      { field: 'cpu', as: 'toCpu' },
    ],
  },
  {
    name: 'bulk_tx',
    event: 'xdp_bulk_tx',
    amount: 'drops',
    keys: [
      { field: 'ifindex', as: 'fromIfindex' },
      { field: 'err', as: 'errno', negated: true },
    ],
  },
];

const transmitKeys: readonly KeyField[] = [
  { field: 'from_ifindex', as: 'fromIfindex' },
  { field: 'to_ifindex', as: 'toIfindex' },
];

/** Redirected frames, and those that had a target: what a broadcast without a target is missing from. */
const flowRows: readonly CountingRow[] = [
  {
    name: 'redirected',
    event: 'xdp_redirect',
    flow: 'redirected',
    keys: [
      { field: 'ifindex', as: 'fromIfindex' },
      { field: 'prog_id', as: 'progId' },
      { field: 'map_id', as: 'mapId' },
    ],
  },
  { name: 'transmit_sent', event: 'xdp_devmap_xmit', flow: 'transmitted', amount: 'sent', keys: transmitKeys },
  { name: 'transmit_drops', event: 'xdp_devmap_xmit', flow: 'transmitted', amount: 'drops', keys: transmitKeys },
];

/** What can be counted with the tracepoints that this kernel has, and what of the list it lacks. */
export interface CountingPlan {
  readonly rows: readonly CountingRow[];
  readonly formats: Events;
  /** Names of rows that this kernel's events do not allow. */
  readonly missing: readonly string[];
  readonly filter: DropFilter;
}

/**
 * Chooses what to count with the given tracepoints.
 *
 * @param conserve whether redirected and transmitted frames are counted as well
 * @throws TypeError when the filter has something that is no unsigned 32-bit number: it becomes part of programs
 */
export function planCounting(events: Events, filter: DropFilter = {}, conserve = false): CountingPlan {
  for (const number of [filter.ifindexes, filter.progIds, filter.mapIds].flatMap((list) => list ?? [])) {
    if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff) throw new TypeError(`no id: ${number}`);
  }
  const rows: CountingRow[] = [];
  const missing: string[] = [];
  for (const row of conserve ? [...allRows, ...flowRows] : allRows) {
    const format = events.get(row.event);
    const usable = format === undefined ? undefined : rowFor(row, format);
    if (usable === undefined) missing.push(row.name);
    else rows.push(usable);
  }
  return { rows, formats: events, missing, filter };
}

/** The tracepoints of a plan, in its order, each once. */
export function eventsOf(plan: CountingPlan): CountedEvent[] {
  return [...new Set(plan.rows.map((row) => row.event))];
}

/** The row with the keys that the event has, or undefined when one is missing that it cannot do without. */
function rowFor(row: CountingRow, { fields }: EventFormat): CountingRow | undefined {
  const keys = row.keys.filter(({ field, optional }) => optional !== true || fields.has(field));
  const needed = [...keys.map(({ field }) => field), ...(row.amount === undefined ? [] : [row.amount])];
  return needed.every((field) => fields.has(field)) ? { ...row, keys } : undefined;
}

/** More comparisons than this are left to the ledger: perf's filters may be as long as a page. */
const mostComparisons = 100;

/**
 * What decides whether the kernel counts an event, in the syntax that bpftrace and perf share, where `operand` turns a
 * field into an operand. Undefined: it counts them all.
 */
export function conditionOf(
  plan: CountingPlan,
  rows: readonly CountingRow[],
  operand: (field: string) => string = (field) => field,
): string | undefined {
  const amounts = rows.flatMap(({ amount }) => (amount === undefined ? [] : [`${operand(amount)} > 0`]));
  const losses = amounts.length < rows.length ? [] : [amounts];
  const alternatives = [...losses, ...filtersOf(plan, rows[0], operand)].map((list) => list.join(' || '));
  if (alternatives.length === 0) return undefined;
  return alternatives.length === 1 ? alternatives[0] : alternatives.map((text) => `(${text})`).join(' && ');
}

function filtersOf(
  { filter }: CountingPlan,
  row: CountingRow | undefined,
  operand: (field: string) => string,
): string[][] {
  const { ifindexes = [], progIds = [], mapIds = [] } = filter;
  // A failed look-up has lost its map: INT_MAX (and 0) must pass, the ledger tells them apart.
  const maps = mapIds.length === 0 ? [] : [...mapIds, noMapId, 0];
  const filters = [
    equalTo(row, ['fromIfindex', 'toIfindex'], ifindexes, operand),
    equalTo(row, ['progId'], progIds, operand),
    equalTo(row, ['mapId'], maps, operand),
  ].filter((comparisons) => comparisons.length > 0);
  return filters.flat().length > mostComparisons ? [] : filters;
}

function equalTo(
  row: CountingRow | undefined,
  properties: readonly Property[],
  numbers: readonly number[],
  operand: (field: string) => string,
): string[] {
  const fields = (row?.keys ?? []).filter(({ as }) => properties.includes(as)).map(({ field }) => field);
  return fields.flatMap((field) => numbers.map((number) => `${operand(field)} == ${number}`));
}

/** What a row counted, by the values of its keys in the row's order. */
export interface RowCount {
  readonly row: CountingRow;
  readonly values: readonly number[];
  readonly count: number;
}

/** The lost frames among what was counted. */
export function dropsOf(counts: readonly RowCount[]): DropCounter[] {
  return counts.flatMap(({ row, values, count }) => {
    const { event, amount, flow } = row;
    if (flow !== undefined || event === 'xdp_redirect' || amount === 'sent') return [];
    return [{ event, ...(amount === undefined ? {} : { field: amount }), count, ...propertiesOf(row, values) }];
  });
}

/** The others, which losses are compared with. */
export function flowsOf(counts: readonly RowCount[]): FlowCounter[] {
  return counts.flatMap(({ row, values, count }) => {
    if (row.flow === undefined) return [];
    const { fromIfindex = 0, ...more } = propertiesOf(row, values);
    return [{ kind: row.flow, count, fromIfindex, ...more }];
  });
}

function propertiesOf({ keys }: CountingRow, values: readonly number[]): Partial<Record<Property, number>> {
  return Object.fromEntries(keys.map(({ as }, index) => [as, values[index] ?? 0]));
}
