import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterAll, describe, expect, it, type TestContext } from 'vitest';

import { isPerCpu } from '../../src/domain/map-type.ts';
import { mapBtf } from '../../src/kernel/btf.ts';
import { BPF_ANY, BpfMap } from '../../src/kernel/map.ts';
import { openPin } from '../../src/kernel/pin.ts';
import { bpftoolJson } from '../support/bpftool-json.ts';
import { BTF_INT_SIGNED, BtfBuilder } from '../support/btf-builder.ts';
import { createBtfMap } from '../support/btf-map.ts';
import { shapesWithValues, valuesOf } from '../support/btf-shapes.ts';
import { PinFolder } from '../support/command.ts';
import { needKernel } from '../support/kernel-has.ts';
import { needProgram } from '../support/need.ts';
import { runHere } from '../support/run-here.ts';
import { tool } from '../support/tool.ts';

/** `-j map dump` of both tools, in the order of the keys. */
async function dumps(id: number): Promise<{ ours: unknown[]; theirs: unknown[] }> {
  const { status, stdout, stderr } = await runHere('-j', 'map', 'dump', 'id', String(id));
  expect([status, stderr]).toEqual([0, '']);
  return {
    ours: sorted(JSON.parse(stdout) as object[]),
    theirs: sorted(bpftoolJson('map', 'dump', 'id', String(id)) as object[]),
  };
}

function sorted(entries: readonly object[]): object[] {
  return entries.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

describe('maps with types', () => {
  it('are shown as bpftool shows them', async (context) => {
    needKernel(context, '6.0'); // enum64
    await fc.assert(
      fc.asyncProperty(shapesWithValues({ judged: true }), async ({ shape, values }) => {
        const builder = new BtfBuilder();
        const keyType = builder.int('int', 4, BTF_INT_SIGNED);
        const valueType = shape.build(builder);
        const sizes = { keySize: 4, valueSize: shape.size, maxEntries: 8 };
        using map = createBtfMap({ btf: builder.bytes(), keyType, valueType, ...sizes });
        values.forEach((value, index) => {
          map.update(new Uint8Array(Int32Array.of(index - 1).buffer), value, BPF_ANY);
        });
        const { ours, theirs } = await dumps(map.info.id);
        expect(ours).toHaveLength(values.length);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 60 },
    );
  });

  it('are bytes where the kernel does not give their types away', () => {
    const builder = new BtfBuilder();
    const keyType = builder.int('int', 4, BTF_INT_SIGNED);
    using map = createBtfMap({
      btf: builder.bytes(),
      keyType,
      valueType: keyType,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
    });
    expect(mapBtf(map.info)).toMatchObject({ keyType, valueType: keyType });
    expect(mapBtf({ ...map.info, btfId: 0xffff_ffff })).toBeUndefined();
    expect(mapBtf({ ...map.info, btfValueTypeId: 0 })).toBeUndefined();
  });

  it('show the text that bpftool garbles', async () => {
    const builder = new BtfBuilder();
    const keyType = builder.int('int', 4, BTF_INT_SIGNED);
    const valueType = builder.array(builder.int('char', 1, BTF_INT_SIGNED), 8, keyType);
    using map = createBtfMap({ btf: builder.bytes(), keyType, valueType, keySize: 4, valueSize: 8, maxEntries: 8 });
    const texts = ['C:\\x', '"', "it's", '\\"\\', '</a>'];
    texts.forEach((text, index) => {
      map.update(new Uint8Array(Int32Array.of(index).buffer), Buffer.from(text.padEnd(8, '\0')), BPF_ANY);
    });
    const { stdout } = await runHere('-j', 'map', 'dump', 'id', String(map.info.id));
    const entries = JSON.parse(stdout) as { formatted: { key: number; value: string } }[];
    const shown = entries.toSorted((one, other) => one.formatted.key - other.formatted.key);
    expect(shown.map(({ formatted }) => formatted.value)).toEqual(texts);
  });
});

describe('types that a C compiler wrote', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-btf-'));

  afterAll(() => rmSync(folder, { recursive: true }));

  /** Loads the maps of a fixture and opens one; the others and the program go again. */
  function open(context: TestContext, fixture: string, name: string): BpfMap {
    needProgram(context, 'clang-14');
    const object = join(folder, `${fixture}.o`);
    if (!existsSync(object)) {
      const source = join(import.meta.dirname, '..', 'fixtures', 'bpf', `${fixture}.bpf.c`);
      tool('clang-14', ['-g', '-O2', '-Wall', '-Wextra', '-Werror', '-target', 'bpf', '-c', source, '-o', object]);
    }
    using pins = new PinFolder();
    tool('bpftool', ['prog', 'loadall', object, pins.pin('programs'), 'pinmaps', pins.pin('maps')]);
    return new BpfMap(openPin(join(pins.pin('maps'), name)).fd);
  }

  it.for([
    'numbers',
    'texts',
    'bits',
    'nested',
    'signs',
    'plain',
    'routes',
    'counters',
    'counter',
    'types_data',
    'types_bss',
    '_data_custom',
  ])('are shown as bpftool shows them: %s', async (name, context) => {
    using map = open(context, 'types', name);
    const { keySize, valueSize, typeName, maxEntries } = map.info;
    const options = { judged: true };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(valuesOf(keySize, options), valuesOf(valueSize, options))),
        async (entries) => {
          for (const [key, value] of entries)
            map.update(keyFor(typeName, key, maxEntries), everywhere(map, value), BPF_ANY);
          const { ours, theirs } = await dumps(map.info.id);
          expect(ours).toEqual(theirs);
        },
      ),
      { numRuns: 5 },
    );
  });

  it('are shown where they are read-only', async (context) => {
    using map = open(context, 'types', 'types_rodata');
    const { ours, theirs } = await dumps(map.info.id);
    expect(ours).toMatchObject([{ formatted: { value: { '.rodata': [{ mode: 'UP' }] } } }]);
    expect(ours).toEqual(theirs);
  });

  it('may be the own types of the kernel', async (context) => {
    needKernel(context, '6.9'); // whose struct_ops have what they share in a struct of its own
    using map = open(context, 'algorithm', 'algorithm');
    expect(map.info).toMatchObject({ typeName: 'struct_ops', btfKeyTypeId: 0 });
    const { ours, theirs } = await dumps(map.info.id);
    expect(ours).toMatchObject([
      { formatted: { value: { common: { state: 'BPF_STRUCT_OPS_STATE_INIT' }, data: { name: '' } } } },
    ]);
    expect(ours).toEqual(theirs);
  });

  it('are shown where bpftool prints no JSON: floats', async (context) => {
    needKernel(context, '5.13');
    using map = open(context, 'types', 'floats');
    const value = new Uint8Array(16);
    const view = new DataView(value.buffer);
    view.setFloat32(0, 0.1, true);
    view.setFloat64(8, -1e300, true);
    map.update(Uint8Array.of(1, 0, 0, 0), value, BPF_ANY);
    const { stdout } = await runHere('-j', 'map', 'dump', 'id', String(map.info.id));
    expect(JSON.parse(stdout)).toMatchObject([{ formatted: { key: 'UP', value: { single: 0.1, twice: -1e300 } } }]);
  });

  it('are shown where bpftool hides one member behind another', async (context) => {
    using map = open(context, 'types', 'unnamed');
    map.update(Uint8Array.of(0, 0, 0, 0), Uint8Array.of(1, 0, 2, 0, 3, 1, 0, 0), BPF_ANY);
    const { stdout } = await runHere('-j', 'map', 'lookup', 'id', String(map.info.id), 'key', '0');
    expect(JSON.parse(stdout)).toMatchObject({
      formatted: { key: 0, value: { '': { first: 1, second: 0x103, third: 3 }, between: 2 } },
    });
  });

  it('are one line each for people', async (context) => {
    using map = open(context, 'types', 'unnamed');
    map.update(Uint8Array.of(7, 0, 0, 0), Uint8Array.of(1, 0, 2, 0, 3, 1, 0, 0), BPF_ANY);
    const id = String(map.info.id);
    expect((await runHere('map', 'dump', 'id', id)).stdout).toBe(
      'KEY  VALUE\n  7  {first: 1, second: 259, third: 3, between: 2}\n1 entry\n',
    );
    expect((await runHere('map', 'lookup', 'id', id, 'key', '7')).stdout).toBe(
      'key    7\nvalue  {first: 1, second: 259, third: 3, between: 2}\n',
    );
  });
});

/** The bytes of a key that the map can have. */
function keyFor(typeName: string | undefined, bytes: Uint8Array, maxEntries: number): Uint8Array {
  const [first = 0] = bytes;
  // An index; or the length of a prefix, and the prefix.
  if (typeName === 'array' || typeName === 'percpu_array') return Uint8Array.of(first % maxEntries, 0, 0, 0);
  return typeName === 'lpm_trie' ? Uint8Array.of(first % 33, 0, 0, 0, ...bytes.subarray(4)) : bytes;
}

/** A value buffer: the same value for each CPU where there is one for each. */
function everywhere(map: BpfMap, value: Uint8Array): Uint8Array {
  if (!isPerCpu(map.info.typeName)) return value;
  const buffer = new Uint8Array(map.valueLength);
  for (let at = 0; at < buffer.length; at += Math.ceil(value.length / 8) * 8) buffer.set(value, at);
  return buffer;
}
