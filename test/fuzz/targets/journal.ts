import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';

import { toToolError } from '../../../src/cli/to-tool-error.ts';
import { directoryInEffect, PathJournal, sweepGoneDevices } from '../../../src/kernel/path-journal.ts';
import { PathStore } from '../../../src/kernel/path-store.ts';
import { must, mustEqual, tame, target } from '../target.ts';
import { nasty } from '../texts.ts';

const NETNS = 4_026_531_840;

/** What somebody, or a command that was killed, may have left in a directory. */
interface Thing {
  readonly name: string;
  readonly kind: 'directory' | 'file' | 'link' | 'dangling';
  readonly inside: readonly Thing[];
}

const names = fc.oneof(
  fc.constantFrom(
    ...'pending trial committed 3 03 x 99999999999999999999'.split(' ').map((end) => `${NETNS}_${end}`),
    ...'1_pending _committed 1_3 3 7 new was_native was_generic was_targets device'.split(' '),
    ...'prog link maps declared egress object'.split(' '),
  ),
  nasty.map((text) => text.replaceAll(/[/\0]/g, '') || 'x'),
);

const { things } = fc.letrec<{ things: Thing[]; thing: Thing }>((tie) => ({
  things: fc.uniqueArray(tie('thing'), { maxLength: 4, selector: ({ name }) => name, depthIdentifier: 'things' }),
  thing: fc.record({
    name: names,
    kind: fc.constantFrom('directory', 'directory', 'directory', 'file', 'link', 'dangling'),
    inside: fc.oneof({ maxDepth: 3, depthIdentifier: 'things' }, fc.constant([]), tie('things')),
  }),
}));

function make(path: string, outside: string, { name, kind, inside }: Thing): void {
  const place = join(path, name);
  // A name of dots is there already.
  tame(() => {
    if (kind === 'file') writeFileSync(place, '');
    else if (kind === 'link') symlinkSync(outside, place);
    else if (kind === 'dangling') symlinkSync('/nowhere/at/all', place);
    else {
      mkdirSync(place);
      for (const each of inside) make(place, outside, each);
    }
  }, [Error]);
}

function cautiously(act: () => void): void {
  tame(() => {
    try {
      act();
    } catch (error) {
      throw toToolError(error);
    }
  });
}

export const journalTargets = [
  target({
    name: 'journal/left',
    oneIn: 100,
    arbitrary: things,
    check(list) {
      const folder = mkdtempSync(join(tmpdir(), 'xdpctl-fuzz-'));
      try {
        const [root, outside] = [join(folder, 'root'), join(folder, 'outside')];
        mkdirSync(root, 0o700);
        mkdirSync(join(outside, '3'), { recursive: true });
        writeFileSync(join(outside, 'precious'), 'precious');
        for (const each of list) make(root, outside, each);
        const store = new PathStore(root, NETNS);
        cautiously(() => {
          for (const ifindex of store.devices()) must(Number.isSafeInteger(ifindex), `the device ${ifindex}`);
        });
        cautiously(() => void directoryInEffect(store, 3, [1, 2]));
        cautiously(() => sweepGoneDevices(root));
        cautiously(() => {
          const left = PathJournal.left(store);
          if (left === undefined) return;
          for (const { ifindex } of left.entries()) must(Number.isSafeInteger(ifindex), `the part ${ifindex}`);
          left.finish();
          must(PathJournal.left(store)?.state !== left.state, 'it is not finished');
        });
        cautiously(() => PathJournal.left(store)?.discard());
        mustEqual(readFileSync(join(outside, 'precious'), 'utf8'), 'precious', 'what is elsewhere');
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  }),
];
