import { littleEndian } from '../domain/byte-order.ts';
import type { CountingPlan, CountingRow, RowCount } from './counting-row.ts';
import { type EventField, readField } from './event-format.ts';

interface ReadableRow {
  readonly row: CountingRow;
  readonly amount: EventField | undefined;
  readonly keys: readonly EventField[];
}

interface Sum {
  readonly row: CountingRow;
  readonly values: readonly number[];
  count: number;
}

/** Adds up the records of tracepoints as bpftrace's maps would, here in user space. */
export class RecordCounter {
  readonly #rows = new Map<number, ReadableRow[]>();
  readonly #sums = new Map<string, Sum>();
  /** All frames counted so far, lost or not. */
  total = 0;

  constructor(plan: CountingPlan) {
    for (const row of plan.rows) {
      const format = plan.formats.get(row.event);
      if (format === undefined) continue;
      const fieldOf = (name: string): EventField[] => [format.fields.get(name) ?? []].flat();
      const readable = {
        row,
        amount: row.amount === undefined ? undefined : format.fields.get(row.amount),
        keys: row.keys.flatMap(({ field }) => fieldOf(field)),
      };
      this.#rows.set(format.id, [...(this.#rows.get(format.id) ?? []), readable]);
    }
  }

  /** Counts one record; those of other tracepoints are none of our business. */
  add(record: DataView): void {
    if (record.byteLength < 2) return;
    // common_type is the first field of every record (kernel/trace/trace.h, struct trace_entry).
    for (const { row, amount, keys } of this.#rows.get(record.getUint16(0, littleEndian)) ?? []) {
      const count = amount === undefined ? 1 : (readField(record, amount, littleEndian) ?? 0);
      if (count <= 0) continue;
      const values = keys.map((field, index) => {
        const value = readField(record, field, littleEndian) ?? 0;
        return row.keys[index]?.negated === true && value !== 0 ? -value : value;
      });
      this.#addTo(row, values, count);
    }
  }

  counts(): readonly RowCount[] {
    return [...this.#sums.values()];
  }

  #addTo(row: CountingRow, values: readonly number[], count: number): void {
    this.total += count;
    const key = `${row.name},${values.join()}`;
    const sum = this.#sums.get(key);
    if (sum === undefined) this.#sums.set(key, { row, values, count });
    else sum.count += count;
  }
}
