import { occupantText } from '../../domain/path-plan.ts';
import { type Counted, type Rated, rated } from '../../domain/path-rates.ts';
import { pathText } from '../../domain/redirect-path.ts';
import type { Painter } from '../../output/color.ts';
import type { Column } from '../../output/outcome.ts';
import { printable } from '../../output/printable.ts';
import { PlainTable } from '../../output/table.ts';
import type { CountedPath } from './counted-paths.ts';

/** What came in a second, by the position of the key in what was counted. */
export interface Rates {
  readonly keys: readonly Rated[];
  readonly egress: readonly Rated[];
}

/** A program that has come meanwhile has counted from 0 on. */
export function ratesOf(
  { device, occupant, counts }: CountedPath,
  before: readonly CountedPath[],
  seconds: number,
): Rates {
  const earlier = before.find(
    (path) => path.device.ifindex === device.ifindex && path.occupant.programId === occupant.programId,
  );
  return {
    keys: rated(counts?.keys ?? [], earlier?.counts?.keys ?? [], seconds),
    egress: rated(counts?.egress ?? [], earlier?.counts?.egress ?? [], seconds),
  };
}

/** A path as -j shows it. */
export function pathData({ device, occupant, counts }: CountedPath, rates?: Rates): object {
  const { programId: id, programName: name, mode } = occupant;
  return {
    ifname: device.ifname,
    ifindex: device.ifindex,
    mode,
    prog: { id, ...(name !== undefined && { name }) },
    counted: counts !== undefined,
    keys: (counts?.keys ?? []).map(({ key, label, target, good, bad }, index) => ({
      ...(key !== undefined && { key }),
      label,
      ...(target !== undefined && { target }),
      redirected: good,
      missed: bad,
      ...rateData('redirected', 'missed', rates?.keys[index]),
    })),
    egress: (counts?.egress ?? []).map(({ key, label, good, bad }, index) => ({
      ...(key !== undefined && { key }),
      label,
      passed: good,
      dropped: bad,
      ...rateData('passed', 'dropped', rates?.egress[index]),
    })),
  };
}

function rateData(good: string, bad: string, rate: Rated | undefined): object {
  return rate === undefined ? {} : { [`${good}_per_s`]: rate.goodRate, [`${bad}_per_s`]: rate.badRate };
}

/** The paths as a table; with rates a line for each key has those too. */
export function pathTable(paths: readonly CountedPath[], paint: Painter, rates?: readonly Rates[]): string {
  if (paths.length === 0) return 'no interface has an XDP program\n';
  const lines = paths.flatMap((path, index) => tableRows(path, rates?.[index]));
  return new PlainTable(rates === undefined ? totalColumns : rateColumns, paint).block(lines);
}

/** A line of the table: a key, a program in entries, or why there are no numbers. */
interface TableRow {
  readonly ifname: string;
  readonly what: string;
  readonly target: string;
  readonly good: string;
  readonly bad: string;
  readonly goodRate: string;
  readonly badRate: string;
}

function tableRows({ device, occupant, counts }: CountedPath, rates: Rates | undefined): TableRow[] {
  const { ifname } = device;
  const none = { ifname, target: '', good: '', bad: '', goodRate: '', badRate: '' };
  if (counts === undefined) {
    const whose = occupant.own === undefined ? 'not attached by xdpctl' : 'a program of your own';
    return [{ ...none, what: `${occupantText(occupant)}: ${whose}, no counters` }];
  }
  if (counts.keys.length === 0 && counts.egress.length === 0) {
    return [{ ...none, what: 'no frame yet', target: occupant.own === undefined ? '' : pathText(occupant.own.path) }];
  }
  const line = ({ label, target, good, bad }: Counted, rate: Rated | undefined): TableRow => ({
    ifname,
    what: label,
    target: target ?? '',
    good: String(good),
    bad: String(bad),
    goodRate: rate === undefined ? '' : String(rate.goodRate),
    badRate: rate === undefined ? '' : String(rate.badRate),
  });
  return [
    ...counts.keys.map((key, index) => line(key, rates?.keys[index])),
    ...counts.egress.map((key, index) => line(key, rates?.egress[index])),
  ];
}

const placeColumns: readonly Column<TableRow>[] = [
  { header: 'INTERFACE', cell: ({ ifname }) => printable(ifname) },
  { header: 'KEY', cell: ({ what }) => printable(what) },
  { header: 'TARGET', cell: ({ target }) => printable(target) },
];

const totalColumns: readonly Column<TableRow>[] = [
  ...placeColumns,
  { header: 'REDIRECTED', cell: ({ good }) => good, align: 'right' },
  {
    header: 'MISSED',
    cell: ({ bad }) => bad,
    align: 'right',
    tone: ({ bad }) => (Number(bad) > 0 ? 'warn' : undefined),
  },
];

const rateColumns: readonly Column<TableRow>[] = [
  ...placeColumns,
  { header: 'REDIRECTED/S', cell: ({ goodRate }) => goodRate, align: 'right' },
  { header: 'MISSED/S', cell: ({ badRate }) => badRate, align: 'right' },
  { header: 'REDIRECTED', cell: ({ good }) => good, align: 'right' },
  { header: 'MISSED', cell: ({ bad }) => bad, align: 'right' },
];
