import { type XskSetup, xskRemedy } from '../../domain/xsk-remedy.ts';
import { noXskStatistics, xskLosses, type XskStatistics, xskStatisticsSince } from '../../domain/xsk-statistics.ts';
import type { StreamItem } from '../../output/outcome.ts';

/** A loss as it is printed. */
interface LossRow {
  readonly code: string;
  readonly count: number;
  readonly fix: string;
}

/** What `xsk bind` prints when it ends. */
export interface BindSummary {
  readonly ifname: string;
  readonly ifindex: number;
  readonly queue: number;
  readonly map: { readonly id: number; readonly name?: string; readonly key: number };
  readonly mode: 'copy' | 'zerocopy';
  /** Only with --attach. */
  readonly prog?: {
    readonly id: number;
    readonly name: string;
    /** Frames that the program gave to the socket, and those that it left to the stack. */
    readonly redirected: number;
    readonly missed: number;
  };
  readonly frames: number;
  readonly bytes: number;
  /** Frames that had come and were not taken any more. */
  readonly unread: number;
  /** Only with --action echo. */
  readonly sent?: number;
  /** Only with --write. */
  readonly written?: number;
  readonly duration_s: number;
  readonly losses: readonly LossRow[];
  readonly statistics: XskStatistics;
}

/** The losses, with what to do about each. */
export function lossRows(statistics: XskStatistics, zeroCopy: boolean, setup: XskSetup): LossRow[] {
  return xskLosses(statistics, zeroCopy).map((loss) => ({ ...loss, fix: xskRemedy(loss, setup) }));
}

export type Line = readonly [label: string, value: string | undefined];

export function summaryLines(summary: BindSummary): Line[] {
  const { ifname, queue, map, mode, prog, frames, bytes, duration_s: seconds } = summary;
  return [
    ['queue', `${queue} of ${ifname} (${mode === 'copy' ? 'copy' : 'zero-copy'} mode)`],
    ['map', `id ${map.id}${map.name === undefined ? '' : ` (${map.name})`}, key ${map.key}`],
    ['program', prog && `${prog.name} (${prog.id}): ${prog.redirected} redirected, ${prog.missed} left to the stack`],
    ['frames', `${frames} (${bytes} bytes) in ${seconds.toFixed(1)} s`],
    ['unread', summary.unread === 0 ? undefined : `${summary.unread} had come and were not taken`],
    ['sent back', summary.sent === undefined ? undefined : String(summary.sent)],
    ['written', summary.written === undefined ? undefined : String(summary.written)],
    ...summary.losses.flatMap(({ code, count, fix }): Line[] => [
      ['lost', `${count} ${code}`],
      ['', fix],
    ]),
  ];
}

/** The summary as the last item of a stream. */
export function summaryItem(summary: BindSummary): StreamItem {
  const lines = summaryLines(summary).filter(([, value]) => value !== undefined);
  const width = Math.max(...lines.map(([label]) => label.length));
  return { data: summary, text: lines.map(([label, value]) => `${label.padEnd(width)}  ${value}\n`).join('') };
}

/** The counters at one moment. */
export interface Reading {
  /** Milliseconds since the socket was bound. */
  readonly time: number;
  readonly frames: number;
  readonly bytes: number;
  readonly sent: number;
  readonly statistics: XskStatistics;
}

/** Words what happened between two readings; the remedy for a loss stands there once. */
export class IntervalReport {
  readonly #zeroCopy: boolean;
  readonly #echo: boolean;
  readonly #setup: XskSetup;
  readonly #explained = new Set<string>();
  #last: Reading = { time: 0, frames: 0, bytes: 0, sent: 0, statistics: noXskStatistics };

  constructor({ zeroCopy, echo, setup }: { zeroCopy: boolean; echo: boolean; setup: XskSetup }) {
    this.#zeroCopy = zeroCopy;
    this.#echo = echo;
    this.#setup = setup;
  }

  item(now: Reading): StreamItem {
    const last = this.#last;
    this.#last = now;
    const seconds = (now.time - last.time) / 1000;
    const frames = now.frames - last.frames;
    const bytes = now.bytes - last.bytes;
    const losses = lossRows(xskStatisticsSince(last.statistics, now.statistics), this.#zeroCopy, this.#setup);
    const rate = (count: number): number => Math.round(count / seconds);
    return {
      data: {
        time_s: round(now.time / 1000),
        interval_s: round(seconds),
        frames,
        bytes,
        frames_per_s: rate(frames),
        bytes_per_s: rate(bytes),
        ...(this.#echo && { sent: now.sent - last.sent }),
        losses,
      },
      text: [
        `${(now.time / 1000).toFixed(1).padStart(8)} s  ${grouped(rate(frames))} frames/s  ${grouped(rate(bytes))} bytes/s` +
          losses.map(({ code, count }) => `  lost ${grouped(rate(count))}/s ${code}`).join(''),
        ...losses.filter(({ code }) => this.#isNew(code)).map(({ code, fix }) => `${' '.repeat(12)}${code}: ${fix}`),
      ]
        .map((line) => `${line}\n`)
        .join(''),
    };
  }

  #isNew(code: string): boolean {
    if (this.#explained.has(code)) return false;
    this.#explained.add(code);
    return true;
  }
}

/** To milliseconds. */
export function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function grouped(number: number): string {
  return String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}
