import { mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { pinObject, removePinOf } from '../../src/kernel/pin.ts';
import { PinFolder } from '../support/command.ts';

let pins: PinFolder;
let maps: BpfMap[];

beforeEach(() => {
  pins = new PinFolder();
  for (const name of ['ours', 'theirs']) mkdirSync(pins.pin(name));
  maps = ['ours', 'theirs'].map((name) => {
    const map = BpfMap.create({ type: 1, name, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 });
    pinObject(map.fd, pins.pin(`${name}/map`));
    return map;
  });
});

afterEach(() => {
  for (const map of maps) map[Symbol.dispose]();
  pins[Symbol.dispose]();
});

describe('removing the pin of an object', () => {
  it('removes it in the directory that was looked at, though another takes its place meanwhile', () => {
    removePinOf(pins.pin('ours/map'), () => {
      renameSync(pins.pin('ours'), pins.pin('moved'));
      symlinkSync(pins.pin('theirs'), pins.pin('ours'));
      return true;
    });
    expect(readdirSync(pins.pin('moved'))).toEqual([]);
    expect(readdirSync(pins.pin('theirs'))).toEqual(['map']);
  });

  it('removes nothing when it is another object', () => {
    expect(() => removePinOf(pins.pin('ours/map'), () => false)).toThrow(
      `somebody has pinned something else at ${pins.pin('ours/map')} meanwhile`,
    );
    expect(readdirSync(pins.pin('ours'))).toEqual(['map']);
  });

  it('names the path of the user when there is nothing', () => {
    for (const path of [pins.pin('ours/none'), pins.pin('none/map')]) {
      let error: unknown;
      try {
        removePinOf(path, () => true);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(KernelRefusal);
      expect(error).toMatchObject({ operation: 'unpin', errno: 2, facts: { path } });
    }
  });
});
