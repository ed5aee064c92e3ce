import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { plainCell, valueCell } from '../../../src/cli/map/document/cells.ts';
import { entryTexts } from '../../../src/cli/map/document/entry-texts.ts';
import { Interfaces, Programs } from '../../../src/cli/map/document/names.ts';
import { Omissions } from '../../../src/cli/map/document/omissions.ts';
import { ProgramTexts } from '../../../src/cli/map/document/program-texts.ts';
import { ToolError } from '../../../src/domain/errors.ts';
import type { MapInfo } from '../../../src/domain/map-info.ts';
import { type MapTypeName, mapTypeNumber } from '../../../src/domain/map-type.ts';
import type { BpfMap } from '../../../src/kernel/map.ts';

function info(typeName: MapTypeName, keySize: number, valueSize: number): MapInfo {
  return {
    id: 1,
    type: mapTypeNumber(typeName) ?? 0,
    typeName,
    name: 'm',
    keySize,
    valueSize,
    maxEntries: 10,
    flags: 0,
    ifindex: 0,
    btfId: 0,
    btfKeyTypeId: 0,
    btfValueTypeId: 0,
    btfVmlinuxId: 0,
    btfVmlinuxValueTypeId: 0,
  };
}

const sizes = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 12, 16);

describe('what a document says of an entry', () => {
  it('is read back as the same bytes', () => {
    const entries = fc
      .tuple(fc.constantFrom<MapTypeName>('hash', 'array', 'lru_hash', 'lpm_trie', 'percpu_hash'), sizes, sizes)
      .chain(([type, keySize, valueSize]) => {
        const cpus = type === 'percpu_hash' ? 3 : 1;
        const step = type === 'percpu_hash' ? Math.ceil(valueSize / 8) * 8 : valueSize;
        return fc.record({
          mapInfo: fc.constant(info(type, keySize, valueSize)),
          valueLength: fc.constant(step * cpus),
          step: fc.constant(step),
          key: fc.uint8Array({ minLength: keySize, maxLength: keySize }),
          value: fc.uint8Array({ minLength: step * cpus, maxLength: step * cpus }),
        });
      });
    fc.assert(
      fc.property(entries, ({ mapInfo, valueLength, step, key, value }) => {
        // Bytes between the values of two CPUs say nothing.
        const told = value.map((byte, at) => (at % step < mapInfo.valueSize ? byte : 0));
        const omissions = new Omissions();
        const map = { info: mapInfo, valueLength } as unknown as BpfMap;
        const texts = entryTexts(map, { keyNames: false, programs: new ProgramTexts(omissions), omissions });
        const json = JSON.parse(`{"key":${texts.key(key, 0)},"value":${texts.value(value, 0)}}`) as Record<
          string,
          unknown
        >;
        const keys = new Uint8Array(mapInfo.keySize);
        const values = new Uint8Array(valueLength);
        plainCell('the key', mapInfo.keySize)(json['key'], new DataView(keys.buffer), 0);
        const cell = valueCell(mapInfo, valueLength, new Interfaces(), new Programs('devmap'));
        cell(json['value'], new DataView(values.buffer), 0);
        expect({ keys, values }).toEqual({ keys: key, values: told });
      }),
    );
  });

  it('is put where it belongs in a buffer', () => {
    const buffer = new Uint8Array(12).fill(0xee);
    plainCell('the key', 4)(7, new DataView(buffer.buffer), 4);
    expect([...buffer]).toEqual([0xee, 0xee, 0xee, 0xee, 7, 0, 0, 0, 0xee, 0xee, 0xee, 0xee]);
  });

  it.each([
    [1, 256],
    [1, -1],
    [1, 1.5],
    [1, '1'],
    [2, 65_536],
    [4, 4_294_967_296],
    [4, Number.NaN],
    [4, '7'],
    [4, null],
    [4, undefined],
    [4, true],
    [4, {}],
    [4, [1, 2, 3]],
    [4, [1, 2, 3, 4, 5]],
    [4, [1, 2, 3, 256]],
    [4, [1, 2, 3, -1]],
    [4, [1, 2, 3, '0x100']],
    [4, [1, 2, 3, '4']],
    [4, [1, 2, 3, [4]]],
    [8, 2 ** 53],
    [8, '18446744073709551616'],
    [8, '-1'],
    [8, '0x10'],
    [8, '01'],
    [8, ''],
    [3, 5],
  ])('of %i bytes cannot be %j', (size, json) => {
    const view = new DataView(new ArrayBuffer(16));
    expect(() => plainCell('the key', size)(json, view, 0)).toThrow(ToolError);
  });

  it.each([
    [8, '18446744073709551615', 2n ** 64n - 1n],
    [8, 2 ** 53 - 1, 2n ** 53n - 1n],
    [8, '0', 0n],
    [8, ['0xff', '0x0', 0, 0, 0, 0, 0, 0], 255n],
  ])('of %i bytes may be %j', (size, json, value) => {
    const view = new DataView(new ArrayBuffer(8));
    plainCell('the value', size)(json, view, 0);
    expect(view.getBigUint64(0, true)).toBe(value);
  });
});
