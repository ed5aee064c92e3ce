import type { Outcome } from '../../output/outcome.ts';
import { flag, type Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { fileArgument, planDeclared, pruneOption, readDeclared, stepRows } from './declared.ts';
import { readableStore } from './store.ts';

export const verb: Verb = {
  object: 'redirect',
  name: 'diff',
  summary: 'print what apply would change',
  synopsis: ['FILE|- [--prune] [--exit-code]'],
  description: [
    'Reads the document as redirect apply does, and the paths there are, and prints the steps that lead from these to those: + attaches, - detaches, ~ changes. Changes nothing.',
  ],
  arguments: [fileArgument],
  options: [pruneOption, { name: 'exit-code', description: 'exit 10 when something would change' }],
  capabilities:
    'CAP_SYS_ADMIN with --netns, and to see how programs of others are attached; else the permission to read the pins',
  json: 'an array: ifname, ifindex, change (attach, replace, update, detach), gap, details; empty when nothing would change',
  examples: [
    {
      command: 'xdpctl redirect diff redirects.json',
      description: 'nothing is there yet',
      output: `
+ attach eth0 -> eth1 in native mode
  point key 2 at eth1`,
    },
    {
      command: 'xdpctl -j redirect diff redirects.json',
      description: 'the same as JSON',
      output: `
[{"ifname":"eth0","ifindex":2,"change":"attach","gap":false,
  "details":["attach eth0 -> eth1 in native mode","point key 2 at eth1"]}]`,
    },
    {
      command: 'echo \'{"xdpctl":1,"redirects":[{"dev":"eth0","to":["eth0"]}]}\' | xdpctl redirect diff -',
      description: 'another target takes one write, and no new program',
      given: 'attached',
      output: `
~ change eth0 in place: point key 2 at eth0 instead of eth1`,
    },
    {
      command: 'xdpctl redirect diff redirects.json --exit-code',
      description: 'for a script: nothing would change',
      given: 'attached',
      output: 'nothing would change',
    },
  ],
  async run(input, context): Promise<Outcome> {
    const words = new WordList(input.words);
    const file = words.take('the file');
    words.end();
    const paths = await readDeclared(file, context);
    const steps = planDeclared(paths, readableStore(), { prune: flag(input, 'prune') });
    return {
      ...stepRows(steps, 'nothing would change'),
      findings: flag(input, 'exit-code') && steps.length > 0,
    };
  },
};
