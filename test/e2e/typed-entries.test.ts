import { afterEach, beforeEach, expect, it } from 'vitest';

import { BPF_ANY, type BpfMap } from '../../src/kernel/map.ts';
import { pinObject } from '../../src/kernel/pin.ts';
import { BTF_INT_SIGNED, BtfBuilder } from '../support/btf-builder.ts';
import { createBtfMap } from '../support/btf-map.ts';
import { PinFolder, xdpctl } from '../support/command.ts';

/** A hash from `int` to `struct { int count; char name[4]; }`, with the entry -1 → { 7, "eth" }. */
function typedMap(): BpfMap {
  const builder = new BtfBuilder();
  const int = builder.int('int', 4, BTF_INT_SIGNED);
  const name = builder.array(builder.int('char', 1, BTF_INT_SIGNED), 4, int);
  const valueType = builder.struct('entry', 8, [
    { name: 'count', type: int, bitOffset: 0 },
    { name: 'name', type: name, bitOffset: 32 },
  ]);
  const map = createBtfMap({ btf: builder.bytes(), keyType: int, valueType, keySize: 4, valueSize: 8, maxEntries: 4 });
  map.update(Uint8Array.of(255, 255, 255, 255), Uint8Array.of(7, 0, 0, 0, 101, 116, 104, 0), BPF_ANY);
  return map;
}

const bytes = {
  key: ['0xff', '0xff', '0xff', '0xff'],
  value: ['0x07', '0x00', '0x00', '0x00', '0x65', '0x74', '0x68', '0x00'],
};

let map: BpfMap;
let pins: PinFolder;

beforeEach(() => {
  map = typedMap();
  pins = new PinFolder();
  pinObject(map.fd, pins.pin('typed'));
});

afterEach(() => {
  pins[Symbol.dispose]();
  map[Symbol.dispose]();
});

it('shows entries by the types of their map, and always their bytes', () => {
  const entry = { ...bytes, formatted: { key: -1, value: { count: 7, name: 'eth' } } };
  const dump = xdpctl(['-j', 'map', 'dump', 'pinned', pins.pin('typed')]);
  expect([dump.status, dump.json()]).toEqual([0, [entry]]);
  const lookup = xdpctl(['-j', 'map', 'lookup', 'pinned', pins.pin('typed'), 'key', '4294967295']);
  expect([lookup.status, lookup.json()]).toEqual([0, entry]);
  const table = xdpctl(['map', 'dump', 'pinned', pins.pin('typed')]);
  expect(table.stdout).toBe('KEY  VALUE\n -1  {count: 7, name: eth}\n1 entry\n');
});

it('shows bytes and integers where the types may not be read, without an error', () => {
  const wrapper = ['setpriv', '--bounding-set=-all,+bpf,+dac_override', '--inh-caps=-all'];
  const dump = xdpctl(['-j', 'map', 'dump', 'pinned', pins.pin('typed')], { wrapper });
  expect([dump.status, dump.stderr]).toEqual([0, '']);
  expect(dump.json()).toEqual([{ ...bytes, formatted: { key: 0xffff_ffff, value: String(0x0068_7465_0000_0007n) } }]);
});
