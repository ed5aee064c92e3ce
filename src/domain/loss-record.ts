import type { DropCounter } from './drop-counter.ts';
import type { DropFilter } from './drop-filter.ts';
import type { FlowCounter } from './flow-counter.ts';

/*
 * What the programs of bpf-objects/losses.bpf.c are told before they are loaded, and the slots in which they count
 * (losses.h, in host byte order).
 */

/** enum loss_row. */
const row = {
  free: 0,
  redirectErr: 1,
  exception: 2,
  devmapXmit: 3,
  cpumapEnqueue: 4,
  cpumapKthread: 5,
  cpumapProgram: 6,
  bulkTx: 7,
  kfreeSkb: 8,
  redirected: 9,
  transmitted: 10,
  redirectMapErr: 11,
  noRoom: 255,
} as const;

/** struct loss: 64 bytes; `count` stands at 56 - 8. */
export const LOSS_SIZE = 64;
const WORDS = LOSS_SIZE / 4;
const COUNT_LOW = 12;
const COUNT_HIGH = 13;

/** LOSS_LIST and LOSS_REASONS: how much the lists of the configuration hold. */
const LIST = 64;
const REASONS = 8;
const HEAD = 6 + REASONS + 2;

/** The reasons of skb drops (enum skb_drop_reason) by number, as this kernel numbers them. */
export interface SkbReasons {
  /** Names without their prefix, of those that are counted. */
  readonly names: ReadonlyMap<number, string>;
  /** NOT_SPECIFIED, counted by the function that gives it. */
  readonly unspecified?: number | undefined;
  /** UDP_CSUM: found when a process reads the socket. */
  readonly socket?: number | undefined;
}

/** struct losses_config. */
export interface LossesConfig {
  /** Slots that each CPU has, a power of two. */
  readonly slots: number;
  readonly filter: DropFilter;
  readonly reasons: SkbReasons;
}

/** How many slots of an array belong to each CPU: one more than it has, for what finds no place. */
export function slotsPerCpu(slots: number): number {
  return slots + 1;
}

/** Lists that are too long for the kernel are left to the reader of the counts. */
export function encodeLossesConfig({ slots, filter, reasons }: LossesConfig): Uint8Array {
  const words = new Uint32Array(HEAD + 3 * LIST);
  const lists = [filter.ifindexes, filter.progIds, filter.mapIds].map((list) =>
    list === undefined || list.length > LIST ? [] : list,
  );
  const numbers = [...reasons.names.keys()].slice(0, REASONS);
  words.set([slots - 1, filter.netns ?? 0, ...lists.map((list) => list.length), numbers.length, ...numbers]);
  // No reason is 2^32 - 1: without them nothing is special.
  words.set([reasons.unspecified ?? 0xffff_ffff, reasons.socket ?? 0xffff_ffff], 6 + REASONS);
  for (const [index, list] of lists.entries()) words.set(list, HEAD + index * LIST);
  return new Uint8Array(words.buffer);
}

/** A slot in use. */
export interface LossRecord {
  readonly row: number;
  readonly cpu: number;
  readonly fromNetns: number;
  readonly from: number;
  readonly toNetns: number;
  readonly to: number;
  readonly prog: number;
  readonly map: number;
  readonly index: number;
  readonly error: number;
  readonly toCpu: number;
  /** Address in the kernel. */
  readonly where: bigint;
  readonly count: number;
}

/**
 * The slots in use of an array that the kernel may be writing to.
 *
 * @param words the array's memory
 * @param perCpu slots of a CPU, as slotsPerCpu() says
 */
export function readLossRecords(words: Uint32Array, perCpu: number): LossRecord[] {
  const records: LossRecord[] = [];
  for (let at = 0; at < words.length; at += WORDS) {
    if (words[at] === row.free) continue;
    const word = (offset: number): number => words[at + offset] ?? 0;
    records.push({
      row: word(0),
      cpu: Math.floor(at / WORDS / perCpu),
      fromNetns: word(1),
      from: word(2),
      toNetns: word(3),
      to: word(4),
      prog: word(5),
      map: word(6),
      index: word(7),
      error: word(8),
      toCpu: word(9),
      where: (BigInt(word(11)) << 32n) | BigInt(word(10)),
      count: readCount(words, at),
    });
  }
  return records;
}

/** All lost frames in an array; cheaper than its records. */
export function sumOfLosses(words: Uint32Array): number {
  let sum = 0;
  for (let at = 0; at < words.length; at += WORDS) {
    const kind = words[at] ?? 0;
    if (kind !== row.free && kind !== row.redirected && kind !== row.transmitted) sum += readCount(words, at);
  }
  return sum;
}

/** The halves of a count that grows meanwhile: the upper one must be the same before and after. */
function readCount(words: Uint32Array, at: number): number {
  for (;;) {
    const high = words[at + COUNT_HIGH] ?? 0;
    const low = words[at + COUNT_LOW] ?? 0;
    if (words[at + COUNT_HIGH] === high) return high * 2 ** 32 + low;
  }
}

/** Frames that no slot had room for. */
export function framesWithoutRoom(records: readonly LossRecord[]): number {
  return records.reduce((sum, record) => sum + (record.row === row.noRoom ? record.count : 0), 0);
}

/** The lost frames among the records. */
export function dropCounters(records: readonly LossRecord[], reasons: SkbReasons): DropCounter[] {
  return records.flatMap((record) => counterOf(record, reasons) ?? []);
}

/** What was counted to be compared with losses. */
export function flowCounters(records: readonly LossRecord[]): FlowCounter[] {
  return records.flatMap((record): FlowCounter[] => {
    const from = { fromIfindex: record.from, netns: record.fromNetns, count: record.count };
    if (record.row === row.redirected) {
      return [{ kind: 'redirected', ...from, progId: record.prog, mapId: record.map }];
    }
    if (record.row !== row.transmitted) return [];
    return [{ kind: 'transmitted', ...from, toIfindex: record.to, toNetns: record.toNetns }];
  });
}

function counterOf(record: LossRecord, reasons: SkbReasons): DropCounter | undefined {
  const { count, cpu, error } = record;
  const from = { fromIfindex: record.from, ...(record.fromNetns !== 0 && { netns: record.fromNetns }) };
  const to = { toIfindex: record.to, ...(record.toNetns !== 0 && { toNetns: record.toNetns }) };
  const onCpu = { mapId: record.map, toCpu: record.toCpu };
  switch (record.row) {
    case row.redirectErr:
    case row.redirectMapErr: {
      const event = record.row === row.redirectErr ? 'xdp_redirect_err' : 'xdp_redirect_map_err';
      const { prog, map, index } = record;
      const more = { progId: prog, mapId: map, mapIndex: index, errno: error, cpu };
      return { event, count, ...from, ...to, ...more };
    }
    case row.exception:
      return { event: 'xdp_exception', count, ...from, progId: record.prog, action: error, cpu };
    case row.devmapXmit:
      return { event: 'xdp_devmap_xmit', field: 'drops', count, ...from, ...to, errno: error, cpu };
    case row.cpumapEnqueue:
      return { event: 'xdp_cpumap_enqueue', field: 'drops', count, ...onCpu, cpu };
    case row.cpumapKthread:
      return { event: 'xdp_cpumap_kthread', field: 'drops', count, ...onCpu };
    case row.cpumapProgram:
      return { event: 'xdp_cpumap_kthread', field: 'xdp_drop', count, ...onCpu };
    case row.bulkTx:
      return { event: 'xdp_bulk_tx', field: 'drops', count, ...from, errno: error, cpu };
    case row.kfreeSkb: {
      const reason = reasons.names.get(error) ?? String(error);
      return { event: 'kfree_skb', count, ...from, reason, ...(record.where !== 0n && { where: record.where }) };
    }
    default:
      return undefined;
  }
}
