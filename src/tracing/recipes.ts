import { shellPipeline, shellScript } from '../domain/shell-quote.ts';
import { conditionOf, type CountingPlan, type CountingRow, eventsOf } from './counting-row.ts';

/*
 * The texts that make bpftrace and perf count lost frames. They are put together from the names of the counting rows,
 * which are ours, and from numbers that planCounting() has checked: nothing a user types becomes part of a program.
 */

export interface BpftraceOptions {
  /** `args->field` up to 0.18, `args.field` since (the arrow is being phased out). */
  readonly arrow: boolean;
  /** Every so often it says that it is alive, and so notices that nobody listens any more. */
  readonly tickMilliseconds: number;
  /** Whether it prints all counts at each tick. Reading them makes the kernel miss events for a moment. */
  readonly printAtTick: boolean;
}

/** What bpftrace prints once all probes are attached: printf output is only read after that. */
export const bpftraceReady = 'ready';

export const bpftraceTick = 'tick';

/** What it prints at the end, before its maps for the last time. */
export const bpftraceEnd = 'end';

/** The bpftrace program of a plan: a map for each row, printed by bpftrace itself at the end. */
export function bpftraceProgram(plan: CountingPlan, options: BpftraceOptions): string {
  const prints = options.printAtTick ? plan.rows.map(({ name }) => `print(@${name}); `).join('') : '';
  return [
    `BEGIN { printf("${bpftraceReady}\\n"); }`,
    ...plan.rows.map((row) => bpftraceProbe(plan, row, options.arrow)),
    `interval:ms:${options.tickMilliseconds} { ${prints}printf("${bpftraceTick}\\n"); }`,
    `END { printf("${bpftraceEnd}\\n"); }`,
  ].join('\n');
}

/**
 * Each field is read once, into a variable: of several reads LLVM makes one with a computed address, which the verifier
 * refuses ("dereference of modified ctx ptr").
 */
function bpftraceProbe(plan: CountingPlan, row: CountingRow, arrow: boolean): string {
  const fields = [...row.keys.map(({ field }) => field), ...(row.amount === undefined ? [] : [row.amount])];
  const reads = fields.map((field) => `$${field} = args${arrow ? '->' : '.'}${field};`).join(' ');
  const keys = keysOf(row, '$');
  const count = `@${row.name}[${keys}] = ${row.amount === undefined ? 'count()' : `sum($${row.amount})`};`;
  const condition = conditionOf(plan, [row], (field) => `$${field}`);
  const body = condition === undefined ? count : `if (${condition}) { ${count} }`;
  return `tracepoint:xdp:${row.event} { ${reads} ${body} }`;
}

function keysOf({ keys }: CountingRow, prefix: string): string {
  return keys.map(({ field, negated }) => `${negated === true ? '-' : ''}${prefix}${field}`).join(', ');
}

/** Says what the numbers in the maps are, and, being printed once it has attached, that it counts. */
function bpftraceLegend({ rows }: CountingPlan): string {
  const lines = rows.map((row) => `@${row.name}[${keysOf(row, '')}]: frames\\n`);
  return `BEGIN { ${lines.map((line) => `printf("${line}");`).join(' ')} }`;
}

/**
 * The words that run a bpftrace program; `-B none` because a pipe is else buffered in blocks.
 *
 * @param workload a program with whose end bpftrace ends
 */
export function bpftraceArguments(program: string, workload: string): string[] {
  return ['-f', 'json', '-B', 'none', '-c', workload, '-e', program];
}

/**
 * The variables that set how many keys a map of bpftrace holds (4,096 by itself): further keys would be lost without a
 * word. 0.20 renamed the variable; each release ignores the other's.
 *
 * @param btf the file with the types of the kernel, where bpftrace does not find it
 */
export function bpftraceEnvironment(mapKeys: number, btf?: string): Record<string, string> {
  return {
    BPFTRACE_MAP_KEYS_MAX: String(mapKeys),
    BPFTRACE_MAX_MAP_KEYS: String(mapKeys),
    ...(btf !== undefined && { BPFTRACE_BTF: btf }),
  };
}

/** Keys of a map: bpftrace reserves them for every CPU, so a large machine gets fewer. */
export function bpftraceMapKeys(cpus: number): number {
  return cpus <= 64 ? 16_384 : 4096;
}

/** The events of a plan for perf, each with its filter, which the kernel applies. */
export function perfEventArguments(plan: CountingPlan): string[] {
  return eventsOf(plan).flatMap((event) => {
    const rows = plan.rows.filter((row) => row.event === event);
    const condition = conditionOf(plan, rows);
    return ['-e', `xdp:${event}`, ...(condition === undefined ? [] : ['--filter', condition])];
  });
}

/**
 * For --print-command: what counts the plan's losses with bpftrace, to copy and paste.
 *
 * @param duration milliseconds after which it ends; without it at Ctrl-C
 */
export function bpftraceCommandText(
  plan: CountingPlan,
  { arrow, mapKeys, btf }: { readonly arrow: boolean; readonly mapKeys: number; readonly btf?: string | undefined },
  duration?: number,
): string {
  const end = duration === undefined ? [] : [`interval:ms:${duration} { exit(); }`];
  const program = [bpftraceLegend(plan), ...plan.rows.map((row) => bpftraceProbe(plan, row, arrow)), ...end].join('\n');
  const variables = Object.entries(bpftraceEnvironment(mapKeys, btf)).map(([name, value]) => `${name}=${value}`);
  return shellScript(['env', ...variables, 'bpftrace', '-e', program]);
}

/**
 * For --print-command: what shows the plan's losses with perf, one line a loss.
 *
 * @param duration milliseconds after which it ends; without it at Ctrl-C
 */
export function perfCommandText(plan: CountingPlan, duration?: number): string {
  const end = duration === undefined ? [] : ['--', 'sleep', String(duration / 1000)];
  return shellPipeline([
    ['perf', 'record', '-q', '-a', '-o', '-', ...perfEventArguments(plan), ...end],
    ['perf', 'script', '-i', '-', '-F', 'trace:cpu,event,trace'],
  ]);
}
