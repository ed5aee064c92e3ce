import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';

import { compileDecoder, isUnsignedInteger } from '../../../src/domain/btf/decoder.ts';
import { KernelTypes } from '../../../src/domain/btf/kernel-types.ts';
import { BtfTypes } from '../../../src/domain/btf/type-table.ts';
import { BtfError } from '../../../src/domain/btf/type.ts';
import { valueText } from '../../../src/domain/btf/value.ts';
import { jsonText } from '../../../src/output/json.ts';
import { printable } from '../../../src/output/printable.ts';
import { BtfBuilder } from '../../support/btf-builder.ts';
import { Bytes, shapesWithValues } from '../../support/btf-shapes.ts';
import { mutants } from '../mutants.ts';
import { mustBePrintable, mustEqual, tame, target } from '../target.ts';

/** The section `.BTF` of an object. */
function sectionOf(file: string): Uint8Array[] {
  const bytes = readFileSync(file);
  for (let at = bytes.indexOf('9feb0100', 'hex'); at !== -1; at = bytes.indexOf('9feb0100', at + 1, 'hex')) {
    const [header, typesLength, stringsAt, stringsLength] = [4, 12, 16, 20].map((offset) =>
      bytes.readUInt32LE(at + offset),
    );
    if (header === 24 && stringsAt === typesLength) {
      return [bytes.subarray(at, at + 24 + (stringsAt ?? 0) + (stringsLength ?? 0))];
    }
  }
  return [];
}

const objects = join(import.meta.dirname, '..', '..', '..', 'bpf-objects');
const real = readdirSync(objects)
  .filter((name) => name.endsWith('.o'))
  .flatMap((name) => sectionOf(join(objects, name)));

/** What the kernel keeps of a tracepoint, of an enum and of a function. */
function kernelLike(): Uint8Array {
  const builder = new BtfBuilder();
  const int = builder.int('int', 4);
  builder.ptr(
    builder.modifier('const', builder.struct('net_device', 4, [{ name: 'ifindex', type: int, bitOffset: 0 }])),
  );
  builder.typedef('btf_trace_xdp_exception', builder.ptr(builder.funcProto(0, [0, 2, int])));
  builder.enum('skb_drop_reason', 4, { SKB_DROP_REASON_NOT_SPECIFIED: 2, SKB_DROP_REASON_UDP_CSUM: 9 });
  builder.func('bpf_rdonly_cast', builder.funcProto(int));
  return builder.bytes();
}

const wanted = {
  typedefs: ['btf_trace_xdp_exception'],
  enums: ['skb_drop_reason'],
  functions: ['bpf_rdonly_cast'],
};

export const btfTargets = [
  target({
    name: 'btf/types',
    arbitrary: fc.record({
      blob: mutants([...real, kernelLike()]),
      room: fc.constantFrom(4, 8, 64, 4096),
      fill: fc.nat(255),
    }),
    check({ blob, room, fill }) {
      const types = tame(() => new BtfTypes(blob), [BtfError]);
      if (types === undefined) return;
      const view = new DataView(new Uint8Array(room).fill(fill).buffer);
      for (let id = 0; id < 40; id += 1) {
        const decode = tame(() => compileDecoder(types, id, room), [BtfError]);
        tame(() => isUnsignedInteger(types, id), [BtfError]);
        if (decode === undefined) continue;
        const value = decode(view, 0);
        mustBePrintable(printable(valueText(value)));
        JSON.parse(jsonText(value, false));
      }
    },
  }),
  target({
    name: 'btf/shapes',
    arbitrary: fc.record({ made: shapesWithValues({ judged: false }), littleEndian: fc.boolean() }),
    check({ made: { shape, values }, littleEndian }) {
      const builder = new BtfBuilder({ littleEndian });
      const id = shape.build(builder);
      const decode = compileDecoder(new BtfTypes(builder.bytes()), id, shape.size);
      for (const value of values) {
        const decoded = decode(new DataView(value.buffer, value.byteOffset, value.byteLength), 0);
        mustEqual(decoded, shape.expect(new Bytes(value, littleEndian), 0), 'the value');
      }
    },
  }),
  target({
    name: 'btf/kernel-types',
    arbitrary: mutants([kernelLike(), kernelLike(), ...real]),
    check(blob) {
      const types = tame(() => new KernelTypes(blob, wanted), [BtfError]);
      if (types === undefined) return;
      for (const name of wanted.typedefs) types.tracepointArguments(name.slice('btf_trace_'.length));
      for (const name of wanted.enums) types.enumerators(name);
    },
  }),
];
