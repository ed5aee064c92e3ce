import { mkdirSync, readdirSync } from 'node:fs';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type * as NewPin from '../../src/cli/new-pin.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import type * as Pin from '../../src/kernel/pin.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { PinFolder } from '../support/command.ts';
import { runHere } from '../support/run-here.ts';

/** What another command does after the checks of this one, and before its first pin. */
const other = vi.hoisted(() => ({ afterCheck: () => {}, beforePin: () => {} }));

vi.mock('../../src/cli/new-pin.ts', async (original) => {
  const { prepareNewPin, ...rest } = await original<typeof NewPin>();
  return {
    ...rest,
    prepareNewPin: (...words: Parameters<typeof prepareNewPin>) => {
      prepareNewPin(...words);
      other.afterCheck();
    },
  };
});
vi.mock('../../src/kernel/pin.ts', async (original) => {
  const { pinObject, ...rest } = await original<typeof Pin>();
  return {
    ...rest,
    pinObject: (...words: Parameters<typeof pinObject>) => {
      const act = other.beforePin;
      other.beforePin = () => {};
      act();
      pinObject(...words);
    },
  };
});

let pins: PinFolder;

beforeEach(() => {
  pins = new PinFolder();
});

afterEach(() => {
  other.afterCheck = () => {};
  pins[Symbol.dispose]();
});

function loadall(): ReturnType<typeof runHere> {
  return runHere('prog', 'loadall', builtinPath('redirect_devmap'), pins.pin('p'), 'pinmaps', pins.pin('m'));
}

it('a directory that another command has made meanwhile is its own', async () => {
  other.afterCheck = () => {
    other.afterCheck = () => {};
    mkdirSync(pins.pin('p'));
  };
  const { status, stderr } = await loadall();
  expect({ status, stderr }).toEqual({ status: 6, stderr: expect.stringContaining('/p exists already') as string });
  expect(readdirSync(pins.path)).toEqual(['p']);
});

it('what another command has pinned in a new directory meanwhile stays', async () => {
  const { pinObject } = await vi.importActual<typeof Pin>('../../src/kernel/pin.ts');
  other.beforePin = () => {
    using map = BpfMap.create({ type: 2, name: 'held', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 });
    pinObject(map.fd, pins.pin('m/counters'));
  };
  const { status, stderr } = await loadall();
  expect({ status, stderr }).toEqual({ status: 6, stderr: expect.stringContaining('exists already') as string });
  expect(readdirSync(pins.path, { recursive: true })).toEqual(['m', 'm/counters']);
});
