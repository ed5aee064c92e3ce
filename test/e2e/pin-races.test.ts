import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { builtinPath } from '../support/builtin-path.ts';
import { type CommandResult, PinFolder, startXdpctl } from '../support/command.ts';
import { expectNothingNew, kernelState, type KernelState } from '../support/leaks.ts';
import { runHere } from '../support/run-here.ts';

let pins: PinFolder;
let untouched: KernelState;

beforeEach(() => {
  untouched = kernelState();
  pins = new PinFolder();
});

afterEach(async () => {
  pins[Symbol.dispose]();
  await expectNothingNew(untouched);
});

const hash = 'type hash key 4 value 4 entries 1 name m'.split(' ');

/** The same command from several processes at once. */
function together(words: readonly string[]): Promise<CommandResult[]> {
  return Promise.all(Array.from({ length: 4 }, () => startXdpctl(words).result()));
}

describe('commands that want the same pin at once', () => {
  it.each([
    ['map create', () => ['map', 'create', pins.pin('one'), ...hash], ['one']],
    ['prog load', () => ['prog', 'load', builtinPath('pass'), pins.pin('one')], ['one']],
    [
      'prog loadall',
      () => ['prog', 'loadall', builtinPath('redirect_devmap'), pins.pin('p'), 'pinmaps', pins.pin('m')],
      ['m', 'm/counters', 'm/redirect_rodata', 'm/targets', 'p', 'p/redirect'],
    ],
  ])('%s: one of them gets it, the others leave nothing', async (_what, words, left) => {
    const results = await together(words());
    const statuses = results.map(({ status, stderr }) => ({ status, stderr }));
    expect(statuses.filter(({ status }) => status === 0)).toHaveLength(1);
    expect(statuses.filter(({ status }) => status === 6)).toHaveLength(3);
    expect(new Set(readdirSync(pins.path, { recursive: true, encoding: 'utf8' }))).toEqual(new Set(left));
  });
});

/** Lets a link lead to one of two directories and then the other, without end, until it is disposed of. */
class Flipping implements AsyncDisposable {
  readonly #worker: Worker;

  constructor(link: string, targets: readonly string[]) {
    const code = `const { renameSync, symlinkSync } = require('node:fs');
      const { link, targets } = require('node:worker_threads').workerData;
      for (let turn = 0; ; turn += 1) { symlinkSync(targets[turn % 2], link + '_'); renameSync(link + '_', link); }`;
    this.#worker = new Worker(code, { eval: true, workerData: { link, targets } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

describe('a way to a pin that somebody turns all the time', () => {
  it('leads to what was named at one moment, or to a refusal', async () => {
    const [one, other, way] = [pins.pin('one'), pins.pin('other'), pins.pin('way')];
    mkdirSync(one);
    mkdirSync(other);
    symlinkSync(one, way);
    {
      await using _flipping = new Flipping(way, [one, other]);
      for (let turn = 0; turn < 40; turn += 1) {
        const made = await runHere('map', 'create', `${way}/map`, ...hash);
        expect(made).toMatchObject({ status: 0, stderr: '' });
        const here = [one, other].filter((path) => readdirSync(path).length > 0);
        expect(here).toHaveLength(1);
        const removed = await runHere('map', 'unpin', `${way}/map`);
        const left = [one, other].filter((path) => readdirSync(path).length > 0);
        // Not found where it led elsewhere, and a conflict where it was turned between looking and acting.
        const expected = removed.status === 0 ? [] : here;
        expect([0, 3, 6]).toContain(removed.status);
        expect({ removed, left }).toEqual({ removed, left: expected });
        for (const path of left) rmSync(`${path}/map`);
      }
    }
    rmSync(way, { force: true });
    rmSync(`${way}_`, { force: true });
  });
});
