import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { findProgram } from '../../../src/tracing/tracer-process.ts';
import { untilLine } from '../../support/lines.ts';
import { nothing } from './loss-table.ts';

/** The devices on which frames get lost, by ifindex. Others lose frames on this machine as well. */
export interface Where {
  readonly ingress: number;
  readonly egress: number;
}

/** The program of Documentation/bpf/redirect.rst, limited to frames that come in by a device. */
function bpftraceRecipe({ ingress }: Where): string {
  return [
    `tracepoint:xdp:xdp_redirect*_err /args->ifindex == ${ingress}/ {@redir_errno[-args->err] = count();}`,
    `tracepoint:xdp:xdp_devmap_xmit /args->from_ifindex == ${ingress}/ {@devmap_errno[-args->err] = count();}`,
  ].join('\n');
}

/** The events of its other recipe, with the fields that name devices. */
const perfEvents: readonly (readonly [event: string, ...fields: string[]])[] = [
  ['xdp_redirect_err', 'ifindex'],
  ['xdp_redirect_map_err', 'ifindex'],
  ['xdp_exception', 'ifindex'],
  ['xdp_devmap_xmit', 'from_ifindex'],
];

/** The words of that recipe for the events that this kernel has, limited to the devices. */
function perfRecipe({ ingress, egress }: Where): string[] {
  const there = readdirSync('/sys/kernel/tracing/events/xdp');
  const events = perfEvents.filter(([event]) => there.includes(event));
  return events.flatMap(([event, ...fields]) => {
    const filter = fields.flatMap((field) => [ingress, egress].map((ifindex) => `${field} == ${ifindex}`));
    return ['-e', `xdp:${event}`, '--filter', filter.join(' || ')];
  });
}

/** What the recipes show of a loss. */
export interface Shown {
  readonly bpftrace: string;
  /** Undefined when perf cannot read what it has written, as where several perfs run at once. */
  readonly perf: string | undefined;
}

/** Both recipes at work. */
export class Recipes implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'xdpctl-recipe-'));
  readonly #bpftrace: ChildProcess;
  readonly #perf: ChildProcess;
  #output = '';

  private constructor(where: Where) {
    // Before its own words one that says when it has begun. It ends when cat does, which reads from us: now and then
    // bpftrace (0.17) does not hear SIGINT.
    const program = `BEGIN { printf("ready\\n"); }\n${bpftraceRecipe(where)}`;
    this.#bpftrace = spawn(pathOf('bpftrace'), ['-B', 'none', '-c', pathOf('cat'), '-e', program], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#bpftrace.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    // The same here: it begins when it is told to, and answers.
    // The records of programs that come and go can be wrong where several perfs run at once (see perf-record.ts).
    const words = ['record', '-a', '-q', '--no-bpf-event', '-D', '-1', '--control', 'fd:3,4', '-o', this.#file];
    this.#perf = spawn(pathOf('perf'), [...words, ...perfRecipe(where)], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, PERF_CONFIG: '/dev/null' },
    });
  }

  /** Starts both; settles once they count. */
  static async start(where: Where): Promise<Recipes> {
    const recipes = new Recipes(where);
    try {
      await recipes.#begin();
      return recipes;
    } catch (error) {
      await recipes[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends both, and gives what they show. */
  async stop(): Promise<Shown> {
    this.#bpftrace.stdin!.end();
    await Promise.all([end(this.#bpftrace), end(this.#perf, 'SIGINT')]);
    const words = ['script', '-i', this.#file, '-F', 'event,trace'];
    const { status, stdout } = spawnSync(pathOf('perf'), words, { encoding: 'utf8', maxBuffer: 1 << 30 });
    return { bpftrace: mapsText(this.#output), perf: status === 0 ? samplesText(samplesOf(stdout)) : undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // cat would keep the output open.
    this.#bpftrace.stdin!.destroy();
    await Promise.all([end(this.#bpftrace, 'SIGKILL'), end(this.#perf, 'SIGKILL')]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, 'perf.data');
  }

  async #begin(): Promise<void> {
    const [, , , commands, answers] = this.#perf.stdio;
    (commands as Writable).write('enable\n');
    await Promise.all([
      untilLine(this.#bpftrace, 'stdout', /^ready/),
      new Promise((resolve, reject) => {
        (answers as Readable).on('data', resolve);
        this.#perf.on('close', () => reject(new Error('perf ended before it had begun')));
      }),
    ]);
  }
}

/** What the recipe for perf says as it stands in redirect.rst; undefined where it still works. */
export function perfRefusal(): string | undefined {
  const events = perfEvents.flatMap(([event]) => ['-e', `xdp:${event}`]);
  const words = ['record', '-a', ...events, '-o', '/dev/null', '--', 'true'];
  const { status, stderr } = spawnSync(pathOf('perf'), words, { encoding: 'utf8' });
  if (status === 0) return undefined;
  const [, problem] = /^event syntax error: '(.*)'$/m.exec(stderr) ?? [];
  return problem === undefined ? `exit code ${status}` : `event syntax error: ${problem}`;
}

/** What bpftrace printed of its maps, in the order of their names: `` `@redir_errno[95]: 9` ``. */
export function mapsText(output: string): string {
  const entries = output.match(/^@\w+\[-?\d+\]: \d+$/gm) ?? [];
  return entries.length === 0
    ? nothing
    : entries
        .toSorted()
        .map((entry) => `\`${entry}\``)
        .join(' ');
}

/** A record of perf's, as `perf script` prints it. */
export interface Sample {
  readonly event: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Reads what `perf script` prints. */
export function samplesOf(text: string): Sample[] {
  return text.split('\n').flatMap((line) => sampleOf(line) ?? []);
}

function sampleOf(line: string): Sample | undefined {
  const [, event, text = ''] = /^\s*xdp:(\w+):\s*(.*)$/.exec(line) ?? [];
  if (event === undefined) return undefined;
  return {
    event,
    fields: new Map([...text.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])),
  };
}

/** What a reader of perf's records learns: events and errnos, how many, and what they say was sent and dropped. */
export function samplesText(records: readonly Sample[]): string {
  const sums = new Map<string, { count: number; sent: number; drops: number }>();
  for (const { event, fields } of records) {
    const what = fields.has('err') ? `err=${fields.get('err')}` : `action=${fields.get('action')}`;
    const key = `${event} ${what}`;
    const sum = sums.get(key) ?? { count: 0, sent: 0, drops: 0 };
    sum.count += 1;
    sum.sent += Number(fields.get('sent') ?? 0);
    sum.drops += Number(fields.get('drops') ?? 0);
    sums.set(key, sum);
  }
  if (sums.size === 0) return nothing;
  return [...sums]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, { count, sent, drops }]) => {
      const frames = what.startsWith('xdp_devmap_xmit') ? `sent ${sent}, drops ${drops}` : String(count);
      return `\`${what}: ${frames}\``;
    })
    .join(' ');
}

async function end(child: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.on('close', resolve));
  if (signal !== undefined) child.kill(signal);
  await ended;
}

function pathOf(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}
