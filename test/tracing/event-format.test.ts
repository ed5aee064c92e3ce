import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseEventFormat, readField } from '../../src/tracing/event-format.ts';
import { recordedEvents } from './recorded.ts';

describe('parseEventFormat', () => {
  it('reads the recorded xdp_redirect_err', () => {
    const format = recordedEvents().get('xdp_redirect_err');
    expect(format).toMatchObject({ name: 'xdp_redirect_err', id: 581 });
    expect([...format!.fields.values()]).toEqual([
      { name: 'common_type', offset: 0, size: 2, signed: false },
      { name: 'common_flags', offset: 2, size: 1, signed: false },
      { name: 'common_preempt_count', offset: 3, size: 1, signed: false },
      { name: 'common_pid', offset: 4, size: 4, signed: true },
      { name: 'prog_id', offset: 8, size: 4, signed: true },
      { name: 'act', offset: 12, size: 4, signed: false },
      { name: 'ifindex', offset: 16, size: 4, signed: true },
      { name: 'err', offset: 20, size: 4, signed: true },
      { name: 'to_ifindex', offset: 24, size: 4, signed: true },
      { name: 'map_id', offset: 28, size: 4, signed: false },
      { name: 'map_index', offset: 32, size: 4, signed: true },
    ]);
  });

  it('reads pointers, arrays and strings by their name', () => {
    expect([...recordedEvents().get('mem_connect')!.fields.keys()]).toContain('allocator');
    expect(recordedEvents().get('bpf_xdp_link_attach_failed')!.fields.get('msg')).toEqual({
      name: 'msg',
      offset: 8,
      size: 4,
      signed: false,
    });
  });

  it('gives nothing for a text without name or number', () => {
    expect(parseEventFormat('')).toBeUndefined();
    expect(parseEventFormat('name: x\nformat:\n')).toBeUndefined();
    expect(parseEventFormat('ID: 5\n')).toBeUndefined();
  });

  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,14}$/);
  const type = fc.constantFrom(
    'int',
    'u32',
    'unsigned int',
    'const void *',
    'enum skb_drop_reason',
    '__data_loc char[]',
  );
  const field = fc.record({
    name,
    type,
    offset: fc.nat(4096),
    size: fc.constantFrom(1, 2, 4, 8),
    signed: fc.boolean(),
  });
  const format = fc.record({
    name,
    id: fc.nat(65_535),
    fields: fc.uniqueArray(field, { selector: (one) => one.name, maxLength: 20 }),
  });

  it('reads back whatever the kernel may write', () => {
    fc.assert(
      fc.property(format, fc.constantFrom('', '[16]', '[NUM]'), (event, array) => {
        const lines = event.fields.map(
          ({ type: written, ...one }) =>
            `\tfield:${written} ${one.name}${array};\toffset:${one.offset};\tsize:${one.size};\tsigned:${Number(one.signed)};`,
        );
        const text = [
          `name: ${event.name}`,
          `ID: ${event.id}`,
          'format:',
          ...lines.slice(0, 2),
          '',
          ...lines.slice(2),
          '',
          'print fmt: "field:int x;\\toffset:0;"',
        ].join('\n');
        const parsed = parseEventFormat(text);
        expect(parsed?.name).toBe(event.name);
        expect(parsed?.id).toBe(event.id);
        expect([...parsed!.fields.values()]).toEqual(event.fields.map(({ type: _type, ...one }) => one));
      }),
    );
  });

  it('never fails, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (noise) => {
        expect(parseEventFormat(`name: x\nID: 1\n${noise}`)).toMatchObject({ name: 'x', id: 1 });
      }),
    );
  });
});

describe('readField', () => {
  it('reads what was written, signed and unsigned, in both byte orders', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.boolean(),
        fc.nat(8),
        (value, little, offset) => {
          const record = new DataView(new ArrayBuffer(20));
          record.setInt32(offset, value, little);
          expect(readField(record, { name: 'x', offset, size: 4, signed: true }, little)).toBe(value);
          expect(readField(record, { name: 'x', offset, size: 4, signed: false }, little)).toBe(value >>> 0);
        },
      ),
    );
  });

  it('knows 1, 2 and 8 bytes', () => {
    const record = new DataView(Uint8Array.of(0xff, 0xfe, 0, 0, 0, 0, 0, 0).buffer);
    const field = { name: 'x', offset: 0 };
    expect(readField(record, { ...field, size: 1, signed: true }, true)).toBe(-1);
    expect(readField(record, { ...field, size: 1, signed: false }, true)).toBe(255);
    expect(readField(record, { ...field, size: 2, signed: true }, true)).toBe(-257);
    expect(readField(record, { ...field, size: 2, signed: false }, false)).toBe(0xfffe);
    expect(readField(record, { ...field, size: 8, signed: false }, true)).toBe(0xfeff);
  });

  it('gives nothing beyond the record, or for other sizes', () => {
    const record = new DataView(new ArrayBuffer(8));
    expect(readField(record, { name: 'x', offset: 6, size: 4, signed: true }, true)).toBeUndefined();
    expect(readField(record, { name: 'x', offset: 0, size: 3, signed: true }, true)).toBeUndefined();
  });
});
