import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';

import { linesBeforeVerdict, loadFailure } from '../../../src/domain/load-log.ts';
import { bpftraceComplaints, countsOfMaps, parseBpftraceLine } from '../../../src/tracing/bpftrace-output.ts';
import { dropsOf, flowsOf, planCounting } from '../../../src/tracing/counting-row.ts';
import { parseEventFormat, readField } from '../../../src/tracing/event-format.ts';
import { parsePerfStat } from '../../../src/tracing/event-perf.ts';
import { RecordCounter } from '../../../src/tracing/perf-counter.ts';
import { PerfStreamError, PerfStreamReader } from '../../../src/tracing/perf-stream.ts';
import { missesIn } from '../../../src/tracing/run-misses.ts';
import { mainComplaint } from '../../../src/tracing/session-end.ts';
import { numberIn, parseTraceText, TraceText } from '../../../src/tracing/trace-text.ts';
import { recordedBpftrace, recordedEvents, recordedPerf, recordedTracefs } from '../../tracing/recorded.ts';
import { mutants, mutantTexts, share } from '../mutants.ts';
import { must, mustEqual, tame, target } from '../target.ts';
import { anyText } from '../texts.ts';

const events = recordedEvents();
const plan = planCounting(events, {}, true);
const folder = join(recordedTracefs, 'events', 'xdp');
const formats = readdirSync(folder).map((name) => readFileSync(join(folder, name, 'format'), 'utf8'));
const bpftraceLines = recordedBpftrace().split('\n');
const perf = recordedPerf();

const traceLines = [
  '            node-6333    [000] b..1.  3862.093919: xdp_redirect: prog_id=60 action=REDIRECT ifindex=2 err=0\n',
  ' ksoftirqd/1-21      (     21) [001] ..s1. 1.000001: xdp_exception: prog_id=7 action=ABORTED ifindex=3\nCPU:1 [LOST 12 EVENTS]\n',
  'CPU:0 [LOST EVENTS]\n',
];

const verifierLogs = [
  "prog 'p': BPF program load failed: Permission denied\nprog 'p': -- BEGIN PROG LOAD LOG --\n0: R1=ctx() R10=fp0\n; return 0;\n7: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000)\n-- END PROG LOAD LOG --\nprog 'p': failed to load: -13\nfailed to load object 'x'\n",
  "elf: 'x' is not a proper ELF object\n",
];

const fdinfos = ['pos:\t0\nflags:\t02000002\nprog_type:\t5\nprog_jited:\t1\nrecursion_misses:\t3\nmemlock:\t4096\n'];
const perfStats = [
  '12,,xdp:xdp_exception,1000,100.00,,\n0,,xdp:xdp_redirect,1000,100.00,,\n<not counted>,,xdp:x,0,0.00,,\n',
];

/** A text that is nearly right many times, so that what looks for its end does not find it. */
function repeated(list: readonly string[]): fc.Arbitrary<string> {
  return fc
    .record({ piece: fc.oneof(fc.constantFrom(...list), mutantTexts(list)), times: fc.nat(300) })
    .map(({ piece, times }) => piece.repeat(times));
}

export const tracingTargets = [
  target({
    name: 'tracing/event-format',
    arbitrary: fc.record({
      text: fc.oneof(mutantTexts(formats), repeated(['\tfield:int a;']), anyText),
      record: fc.uint8Array({ maxLength: 64 }),
    }),
    check({ text, record }) {
      const format = parseEventFormat(text);
      if (format === undefined) return;
      const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
      for (const [name, field] of format.fields) {
        must(/^[A-Za-z_]\w*$/.test(name), `the field ${JSON.stringify(name)}`);
        const number = readField(view, field, true);
        must(number === undefined || Number.isFinite(number), `the number ${number}`);
      }
      planCounting(new Map([[format.name, format]]));
    },
  }),
  target({
    name: 'tracing/bpftrace',
    arbitrary: fc.array(fc.oneof(mutantTexts(bpftraceLines), fc.json(), anyText), { maxLength: 4 }),
    check(lines) {
      const maps = new Map<string, ReadonlyMap<string, number>>();
      for (const line of lines) {
        const message = parseBpftraceLine(line);
        if (message?.type === 'map') maps.set(message.name, message.entries);
      }
      const counts = countsOfMaps(plan, maps);
      for (const counter of [...dropsOf(counts), ...flowsOf(counts)]) {
        for (const value of Object.values(counter)) {
          must(typeof value === 'string' || Number.isSafeInteger(value), `a counter with ${String(value)}`);
        }
        must(counter.count >= 0, `a count of ${counter.count}`);
      }
      bpftraceComplaints(lines.join('\n'));
      mainComplaint(lines.join('\n'));
    },
  }),
  target({
    name: 'tracing/perf-stream',
    arbitrary: fc.record({
      stream: fc.oneof(
        { weight: 5, arbitrary: mutants([perf], () => [[0, 0.2]]) },
        {
          weight: 1,
          arbitrary: fc.uint8Array({ maxLength: 200 }).map((rest) => Buffer.concat([perf.subarray(0, 16), rest])),
        },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
      ),
      cuts: fc.array(share, { maxLength: 3 }),
    }),
    check({ stream, cuts }) {
      const counter = new RecordCounter(plan);
      const reader = new PerfStreamReader({ sample: (record) => counter.add(record), lost: () => {} });
      const places = [
        0,
        ...cuts.map((part) => Math.floor(part * stream.length)).toSorted((a, b) => a - b),
        stream.length,
      ];
      tame(() => {
        for (let index = 1; index < places.length; index += 1)
          reader.push(stream.subarray(places[index - 1], places[index]));
      }, [PerfStreamError]);
      for (const { count } of dropsOf(counter.counts())) must(count > 0, `a count of ${count}`);
    },
  }),
  target({
    name: 'tracing/perf-stat',
    arbitrary: fc.oneof(mutantTexts(perfStats), repeated(['1,', '1,\n', ...perfStats]), anyText),
    check(text) {
      for (const [name, count] of parsePerfStat(text) ?? [])
        must(/^\w+$/.test(name) && count >= 0, `${name}: ${count}`);
    },
  }),
  target({
    name: 'tracing/trace-text',
    arbitrary: fc.array(fc.oneof(mutantTexts(traceLines), repeated([' ', '-1 ', 'a-1  [', ...traceLines]), anyText), {
      maxLength: 4,
    }),
    check(pieces) {
      const state = new TraceText();
      const whole = new TraceText();
      const lines = pieces.flatMap((piece) => parseTraceText(state, piece));
      mustEqual(lines, parseTraceText(whole, pieces.join('')), 'what comes in pieces');
      mustEqual([state.lost, state.rest], [whole.lost, whole.rest]);
      for (const line of lines) numberIn(line, 'prog_id');
    },
  }),
  target({
    name: 'tracing/fdinfo',
    arbitrary: fc.oneof(mutantTexts(fdinfos), repeated(fdinfos), anyText),
    check(text) {
      const misses = missesIn(text);
      must(misses >= 0, `${misses} misses`);
    },
  }),
  target({
    name: 'objects/verifier-log',
    arbitrary: fc.oneof(
      mutantTexts(verifierLogs),
      repeated(["prog 'p': -- BEGIN PROG LOAD LOG --\n", "prog '", 'processed 1 insns\n', ...verifierLogs]),
      anyText,
    ),
    check(log) {
      const { program, reason } = loadFailure(log);
      for (const text of [program, reason]) must(text === undefined || !text.includes('\n'), 'several lines');
      must(linesBeforeVerdict(log, 3).length <= 3, 'too many lines');
    },
  }),
];
