import * as fc from 'fast-check';

import { catalogue, loadVerbs } from '../../../src/cli/catalogue.ts';
import { exitCodes } from '../../../src/domain/exit-code.ts';
import { printableLines } from '../../../src/output/printable.ts';
import { runHere } from '../../support/run-here.ts';
import { asyncTarget, must, mustEqual } from '../target.ts';
import { anyText, numberWord } from '../texts.ts';

/** Verbs that do not come to an end, or send frames. */
const endless = new Set(['debug drops', 'debug events', 'debug record', 'redirect test', 'xsk bind', 'redirect stats']);

const keywords =
  `id name pinned tag builtin dev key value type entries flags inner_map hex xdp xdpdrv overwrite map pinmaps data_in repeat
  file replace lo /nowhere - pass hash --to --cpus --key --object --program --map --force --format -- -j --exit-code`.split(
    /\s+/,
  );

export const runTargets = [
  asyncTarget({
    name: 'run/dry',
    oneIn: 100,
    arbitrary: fc.record({
      object: fc.nat(catalogue.length - 1),
      verb: fc.nat(20),
      json: fc.boolean(),
      words: fc.array(fc.oneof(fc.constantFrom(...keywords), anyText, numberWord), { maxLength: 9 }),
    }),
    async check({ object: index, verb, json, words }) {
      const object = catalogue[index] ?? catalogue[0]!;
      const verbs = (await loadVerbs(object))
        .map(({ name }) => `${object.name} ${name}`)
        .filter((name) => !endless.has(name));
      const chosen = verbs[verb % verbs.length] ?? '';
      const { status, stdout, stderr } = await runHere(
        '--dry-run',
        ...(json ? ['-j'] : []),
        ...chosen.split(' '),
        ...words,
      );
      must(status !== exitCodes.bug, `a bug: ${stderr}`);
      for (const text of [stdout, stderr]) mustEqual(printableLines(text), text, 'what a terminal shows');
      if (status !== 0 && status !== 10) must(/(?:^|\n)(?:\{"error":|error: )/.test(stderr), `no error: ${stderr}`);
    },
  }),
];
