import { describe, expect, it } from 'vitest';

import { BtfBuilder } from '../support/btf-builder.ts';
import { recordedPerf } from '../tracing/recorded.ts';
import { propertyOf } from './target.ts';
import { targets } from './targets.ts';

/** A const of itself, as the argument of a tracepoint. */
function endlessConst(): Uint8Array {
  const builder = new BtfBuilder();
  const itself = builder.modifier('const', 1);
  builder.typedef('btf_trace_xdp_exception', builder.ptr(builder.funcProto(0, [itself, itself])));
  return builder.bytes();
}

/** The recording with four bytes changed. */
function changedPerf(at: number, word: number): Uint8Array {
  const copy = Buffer.from(recordedPerf());
  copy.writeUInt32LE(word, at);
  return copy;
}

/** A record of perf's tracing data, which is as long as it says in a field of its own. */
function tracingData(length: number): Uint8Array {
  const record = Buffer.alloc(16);
  record.writeUInt32LE(66, 0);
  record.writeUInt16LE(16, 6);
  record.writeUInt32LE(length, 8);
  return Buffer.concat([recordedPerf().subarray(0, 16), record]);
}

/** A line of bpftrace. */
function countsOf(entries: string): string {
  return `{"type": "map", "data": {"@devmap_xmit": {${entries}}}}`;
}

const log = "prog 'p': BPF program load failed: x\nprog 'p': -- BEGIN PROG LOAD LOG --\nno end\n";

/** Inputs that did harm once: the parser, and what it was fed. */
const findings: readonly (readonly [what: string, name: string, input: unknown])[] = [
  ['was no path', 'words/pin-path', '//'],
  ['took all memory', 'words/cpus', '081-1431261768,171,1727935541-0xacb2'],
  ['took all memory', 'proc/cpu-list', '0-400000000'],
  ['took all memory', 'words/cpus', '0-65535,'.repeat(10_000)],
  ['found a verb in the prototype', 'batch/line', { object: 'batch', verb: 'show', rest: ['__proto__'], at: 1 }],
  ['found a verb in the prototype', 'batch/line', { object: 'completion', verb: '__proto__', rest: [], at: 2 }],
  ['read beyond its end', 'netlink/interfaces', [{ type: 16, flags: 0, sequence: 0, body: new Uint8Array() }]],
  ['read beyond its end', 'tracing/perf-stream', { stream: changedPerf(22, 0x2_0022), cuts: [] }],
  ['came to no end', 'tracing/perf-stream', { stream: tracingData(0xffff_fff0), cuts: [] }],
  ['took a minute', 'objects/verifier-log', log.repeat(20_000)],
  ['took a minute', 'tracing/trace-text', [`${' '.repeat(200_000)}\n`]],
  ['came to no end', 'btf/kernel-types', endlessConst()],
  ['counted less than nothing', 'tracing/bpftrace', [countsOf('"1,2,6": -4')]],
  ['counted a part', 'tracing/bpftrace', [countsOf('"1,2,6": 0.5')]],
  ['was told as a bug', 'journal/left', [{ name: '4026531840_pending', kind: 'file', inside: [] }]],
  ['took away what a link leads to', 'journal/left', [{ name: '4026531840_committed', kind: 'link', inside: [] }]],
  ['was no device', 'journal/left', [{ name: '4026531840_99999999999999999999', kind: 'directory', inside: [] }]],
  ['counted at no device', 'tracing/bpftrace', [countsOf('"123456789012345678901,2,6": 4')]],
];

describe('what did harm once', () => {
  it.each(findings)('%s: %s', async (_what, name, input) => {
    const target = targets.find((each) => each.name === name);
    if (target === undefined) throw new Error(`no target ${name}`);
    const property = propertyOf(target);
    expect(await property.run([input])).toBeNull();
  });
});
