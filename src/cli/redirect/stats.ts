import { ToolError, usageError } from '../../domain/errors.ts';
import { plain } from '../../output/color.ts';
import type { Outcome, StreamItem } from '../../output/outcome.ts';
import type { Context } from '../context.ts';
import { optionValue, type Verb } from '../verb.ts';
import { parseDuration } from '../words/duration.ts';
import { parseUnsigned, U32_MAX } from '../words/number.ts';
import { WordList } from '../words/word-list.ts';
import { type CountedPath, readCounted } from './counted-paths.ts';
import { pathData, pathTable, ratesOf } from './stats-report.ts';
import { deviceIndex, readableStore } from './store.ts';
import { occupiedDevices } from './survey.ts';

export const verb: Verb = {
  object: 'redirect',
  name: 'stats',
  summary: 'show how many frames were redirected and missed, by interface and key',
  synopsis: ['[DEV] [--interval T] [--count N]'],
  description: [
    'The redirect programs that come with xdpctl count, for each CPU and key, the frames whose key had an entry (redirected) and those whose key had none (missed: what happened to them is the action on a miss). Programs in map entries count what they passed and dropped. The numbers begin when the program was loaded. Redirected says that the map had an entry, not that the frame arrived: see debug drops.',
    'Keys are interfaces, receive queues or CPUs, according to what is looked up. Frames of more keys than there is room for are counted together, as others. Programs that xdpctl did not attach, and programs of your own, have no counters that it knows; it says so.',
    'With --interval it goes on, and prints each time what came in a second, until a signal or N times; a line beginning ready: is printed on stderr first.',
  ],
  arguments: [
    { name: 'DEV', description: 'the interface where frames arrive; all that have an XDP program without it' },
  ],
  options: [
    { name: 'interval', value: 'T', description: 'rates, each time this has passed: 1, 500ms, 2m' },
    { name: 'count', value: 'N', description: 'end after N times (with --interval 1s, unless another is given)' },
  ],
  capabilities: 'the permission to read the pins; CAP_SYS_ADMIN with --netns',
  json: 'an array: ifname, ifindex, mode, prog, counted (whether there are counters), keys (key, label, target, redirected, missed) and egress (key, label, passed, dropped); with --interval an object a line: interval_s and paths, with redirected_per_s, missed_per_s, passed_per_s and dropped_per_s besides',
  examples: [
    {
      command: 'xdpctl redirect stats',
      description: 'what was redirected so far',
      given: 'losing',
      output: `
INTERFACE  KEY        TARGET  REDIRECTED  MISSED
eth0       from eth0  eth1           123       0`,
    },
    {
      command: 'xdpctl -j redirect stats eth0 --interval 100ms --count 1',
      description: 'rates, as JSON',
      given: 'losing',
      output: `
{"interval_s":0.1,"paths":[{"ifname":"eth0","ifindex":2,"mode":"native",
 "prog":{"id":60,"name":"redirect"},"counted":true,
 "keys":[{"key":2,"label":"from eth0","target":"eth1","redirected":123,"missed":0,
          "redirected_per_s":100,"missed_per_s":0}],"egress":[]}]}`,
    },
  ],
  run(input, context): Outcome {
    const words = new WordList(input.words);
    const ifname = words.done ? undefined : words.take('the interface');
    words.end();
    const [interval, count] = [optionValue(input, 'interval'), optionValue(input, 'count')];
    const times = count === undefined ? Number.POSITIVE_INFINITY : parseUnsigned(count, '--count', U32_MAX);
    if (times === 0) throw usageError('--count must be at least 1');
    const source = new Source(ifname);
    if (interval === undefined && count === undefined) {
      const paths = source.read();
      return {
        kind: 'report',
        data: paths.map((path) => pathData(path)),
        text: (paint) => pathTable(paths, paint),
      };
    }
    const ms = interval === undefined ? 1000 : parseDuration(interval, '--interval', { most: LONGEST_MS, text: '24h' });
    return { kind: 'stream', items: intervals(source, ms, times, context) };
  },
};

/** A day: a timer takes no more than 24. */
const LONGEST_MS = 24 * 3_600_000;

/** What is read each time: one device or all. */
class Source {
  readonly #ifindex: number | undefined;
  readonly #ifname: string | undefined;
  readonly #store = readableStore();

  constructor(ifname: string | undefined) {
    this.#ifname = ifname;
    this.#ifindex = ifname === undefined ? undefined : deviceIndex(ifname);
  }

  /** @throws ToolError not-found when the device that was named has no program */
  read(): CountedPath[] {
    const paths = occupiedDevices(this.#store, undefined, this.#ifindex).map((each) => readCounted(each, this.#store));
    if (paths.length === 0 && this.#ifname !== undefined) {
      throw new ToolError('not-found', `${this.#ifname} has no XDP program attached`);
    }
    return paths;
  }
}

async function* intervals(source: Source, ms: number, times: number, context: Context): AsyncGenerator<StreamItem> {
  let [before, start] = [source.read(), process.uptime()];
  await context.ready(`counting every ${ms / 1000} s`);
  for (let time = 0; time < times; time += 1) {
    if (!(await passed(ms, context.signal))) return;
    const [now, end] = [source.read(), process.uptime()];
    const seconds = end - start;
    const rates = now.map((path) => ratesOf(path, before, seconds));
    yield {
      data: {
        interval_s: Math.round(seconds * 1000) / 1000,
        paths: now.map((path, index) => pathData(path, rates[index])),
      },
      text: `${pathTable(now, plain, rates)}\n`,
    };
    [before, start] = [now, end];
  }
}

/** Waits; false when a signal came first. */
function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
