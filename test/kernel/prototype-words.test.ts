import { expect, it } from 'vitest';

import { runHere } from '../support/run-here.ts';

/** What every object of JavaScript has: where words are looked up in one, these are found. */
const inherited = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'];

/** Commands with a word that is one of several; what they say of one that is none, and how they end. */
const commands: readonly (readonly [line: string, exit: number, says: RegExp])[] = [
  ['@ show', 2, /unknown object/],
  ['map @', 2, /unknown verb of map/],
  ['help @', 2, /unknown object/],
  ['completion @', 2, /unknown verb/],
  ['--@ map show', 2, /unknown option/],
  ['map show --@', 2, /unknown option/],
  ['--color @ map show', 2, /--color takes/],
  ['map create /sys/fs/bpf/n type @ key 4 value 4 entries 1 name x', 2, /is no map type/],
  ['map create /sys/fs/bpf/n type hash key 4 value 4 entries 1 name x flags @', 2, /is no map flag/],
  ['map create /sys/fs/bpf/n @ 4', 2, /unexpected word/],
  ['prog show tag @', 2, /tag is 16/],
  ['prog load x.o /sys/fs/bpf/y type @', 2, /is no type of program/],
  ['prog run builtin pass @ 3', 2, /unknown word/],
  ['prog run builtin @', 3, /no program named/],
  ['net attach @ builtin pass dev lo', 2, /is no type of XDP attachment/],
  ['net attach xdp builtin @ dev lo', 3, /no program named/],
  ['net detach @ dev lo', 2, /is no type of XDP attachment/],
  ['redirect attach lo --to lo --egress builtin:@', 3, /no program named/],
  ['redirect attach lo --cpus 0 --prog builtin:@', 3, /no program named/],
  ['redirect attach lo --to lo --mode @', 2, /--mode takes/],
  ['redirect attach lo --to lo --on-miss @', 2, /--on-miss takes/],
  ['redirect attach lo --to lo --key @', 2, /--key takes/],
  ['redirect show --format @', 2, /--format takes/],
  ['xsk bind lo --queue 0 --attach --action @', 2, /--action takes/],
  ['xsk bind lo --queue 0 --attach --mode @', 2, /--mode takes/],
  ['debug drops --via @', 2, /--via takes/],
  ['debug drops --duration 1@', 2, /takes a time/],
  ['debug explain @', 2, /unknown code/],
];

it.each(commands)('%s: no word that every object has is one of those', async (line, exit, says) => {
  for (const word of inherited) {
    const { status, stdout, stderr } = await runHere(...line.split(' ').map((each) => each.replace('@', word)));
    expect({ word, status, stdout, stderr }).toEqual({
      word,
      status: exit,
      stdout: '',
      stderr: expect.stringMatching(says) as string,
    });
  }
});
