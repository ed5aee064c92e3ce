import type { CountingPlan, CountingRow } from './counting-row.ts';

/** enum loss_row of bpf-objects/losses.h, by the rows of counting-row.ts. */
const rowNumbers: Readonly<Record<string, number>> = {
  redirect_err: 1,
  exception: 2,
  devmap_xmit: 3,
  cpumap_enqueue: 4,
  cpumap_kthread_drops: 5,
  cpumap_kthread_xdp_drop: 6,
  bulk_tx: 7,
  redirect_map_err: 11,
};
const ROWS = 12;

/** The members of struct loss_fields (bpf-objects/losses_classic.bpf.c) but the last, by what they become. */
const members = ['fromIfindex', 'toIfindex', 'progId', 'mapId', 'mapIndex', 'errno', 'action', 'toCpu'] as const;
const MEMBERS = members.length + 1;

/** Where this kernel's records have what: struct loss_fields for each row, 0 where a record has it not. */
export function classicFields(plan: CountingPlan): Uint8Array {
  const words = new Uint32Array(ROWS * MEMBERS);
  for (const row of plan.rows) {
    const number = rowNumbers[row.name];
    if (number !== undefined) words.set(offsetsOf(plan, row), number * MEMBERS);
  }
  return new Uint8Array(words.buffer);
}

function offsetsOf({ formats }: CountingPlan, { event, keys, amount }: CountingRow): number[] {
  const fields = formats.get(event)?.fields;
  const offsetOf = (field: string | undefined): number => (field && fields?.get(field)?.offset) || 0;
  return [...members.map((member) => offsetOf(keys.find(({ as }) => as === member)?.field)), offsetOf(amount)];
}
