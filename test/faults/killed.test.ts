import { readdirSync, rmSync, writeFileSync } from 'node:fs';

import { type FaultWorld, objectFile } from './support/fault-world.ts';
import { type ChangeIn, inFaultWorld } from './support/meet-faults.ts';
import { expectKillable } from './support/series.ts';

const KEYS = [0, 1, 2, 3];

/** An import of several entries, of which the next import writes those that are missing. */
const importing: ChangeIn = ({ done, words, files, router: { b, c } }) => ({
  words: words('map import @m %document.json replace'),
  // In the order in which it writes, and removes.
  steps: [
    ...KEYS.map((key) => words(`map update @m key ${key} value ${key % 2 === 0 ? 'B' : 'C'}`)),
    words('map delete @m key 6'),
    words('map delete @m key 7'),
  ],
  prepare: async () => {
    await done(...words('map create @m type devmap entries 8 name m'));
    await done(...words('map update @m key 6 value B'));
    await done(...words('map update @m key 7 value B'));
    const document = {
      xdpctl: 1,
      map: { type: 'devmap', bytes_key: 4, bytes_value: 8 },
      entries: KEYS.map((key) => ({ key, value: { dev: key % 2 === 0 ? b.name : c.name } })),
    };
    writeFileSync(files.file('document.json'), JSON.stringify(document));
  },
});

const batch: ChangeIn = ({ done, words }) => {
  const steps = [
    'map update @m key 0 value B',
    'map create @n type cpumap entries 1 name n --if-absent',
    'map update @n key 0 value qsize 64',
    'map delete @m key 0',
    'map update @m key 2 value A',
  ].map((line) => words(line));
  return {
    words: ['batch', 'file', '-'],
    input: steps.map((line) => `${line.join(' ')}\n`).join(''),
    steps,
    prepare: () => done(...words('map create @m type devmap entries 8 name m')),
  };
};

function passing(text: string): ChangeIn {
  return ({ done, words }) => ({
    words: words(text),
    passing: true,
    prepare: async () => {
      await done(...words('map create @sockets type xskmap entries 4 name sockets'));
      if (text.startsWith('debug')) await done(...words('redirect attach A --to B'));
    },
  });
}

/** The pins that a killed command has made are in the way of the next, which never replaces a pin. */
function removePins({ pins }: FaultWorld): void {
  for (const name of readdirSync(pins.path)) rmSync(`${pins.path}/${name}`, { recursive: true });
}

inFaultWorld(({ test }) => {
  const complete: Readonly<Record<string, ChangeIn>> = { 'map import': importing, batch };
  for (const [name, change] of Object.entries(complete)) {
    test(`${name}, killed anywhere, is completed by the next`, (world, commands) =>
      expectKillable(name, world, commands, change(world)));
  }

  test('prog loadall, killed anywhere, leaves nothing but whole pins', (world, commands) => {
    const words = world.words(`prog loadall ${objectFile('redirect_devmap')} @all pinmaps @maps`);
    return expectKillable('prog loadall', world, commands, { words }, () => removePins(world));
  });

  const gone: Readonly<Record<string, string>> = {
    'xsk bind --map': 'xsk bind A --queue 0 --frames 64 --rx-size 64 --duration 50ms --map @sockets',
    'xsk bind --attach': 'xsk bind A --queue 0 --frames 64 --rx-size 64 --duration 50ms --attach',
    'debug drops --via builtin': 'debug drops A --via builtin --duration 100ms',
    'debug drops --via bpftrace': 'debug drops A --via bpftrace --duration 100ms',
    'debug drops --via perf': 'debug drops A --via perf --duration 100ms',
  };
  for (const [name, text] of Object.entries(gone)) {
    test(`${name}, killed anywhere, leaves nothing`, (world, commands) =>
      expectKillable(name, world, commands, passing(text)(world)));
  }
});
