import { usageError } from '../../domain/errors.ts';
import { stepTexts } from '../../domain/path-plan.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import { flag, optionValue, type Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { carryOut } from './carry-out.ts';
import { parseConfirmTime } from './confirmation.ts';
import { fileArgument, planDeclared, pruneOption, readDeclared, stepRows } from './declared.ts';
import { checkSafety } from './safety.ts';
import { holdStore } from './store.ts';
import { warnAboutTargets } from './target-warnings.ts';

export const verb: Verb = {
  object: 'redirect',
  name: 'apply',
  summary: 'make the redirects what a document says',
  synopsis: ['FILE|- [--prune] [--confirm T] [--yes]'],
  description: [
    'The document is what redirect export prints. Each element of redirects is a path: dev, and where its frames go: to (interfaces, or objects with dev, key, egress, dst_mac, src_mac), cpus (numbers, or objects with cpu, qsize, prog), xsk (true), map or object. The other keys are the options of redirect attach, with underscores: broadcast, exclude_ingress, egress, dst_mac, src_mac, qsize, prog, program, key, on_miss, mode, link.',
    'It is checked as a whole before the first change; an error names the place. What is as declared already is left alone, an entry that differs is written in place, and only what was fixed when a program was loaded takes a new program, which replaces the old one in one step where the kernel can do that. Paths that the document does not name stay, unless --prune is given. Programs that xdpctl did not attach are never replaced. A program of your own is known by its file and its name, not by its content: a file that has changed is loaded with redirect attach --replace.',
    'All or nothing: when a step fails, what was done before is taken back. After a kill the next command does that. With --confirm the answer comes from standard input, so the document must be in a file.',
  ],
  arguments: [fileArgument],
  options: [
    pruneOption,
    { name: 'confirm', value: 'T', description: 'take it back after T (60s, 2m) unless you press Enter' },
    { name: 'yes', description: 'also on the device by which you may be connected' },
  ],
  changes: 'attaches, replaces and detaches redirect programs, and writes entries of their maps',
  capabilities:
    'CAP_BPF, CAP_NET_ADMIN; CAP_SYS_ADMIN where entries with programs change, to mount bpffs, and with --netns',
  json: 'an array of the changes made: ifname, ifindex, change (attach, replace, update, detach), gap, details; empty when all was as declared',
  examples: [
    {
      command: 'xdpctl redirect apply redirects.json',
      description: 'what the document says, from nothing',
      output: `
+ attach eth0 -> eth1 in native mode
  point key 2 at eth1`,
    },
    {
      command: 'xdpctl -j redirect apply redirects.json',
      description: 'again: nothing is left to do',
      given: 'attached',
      output: '[]',
    },
    {
      command: 'echo \'{"xdpctl":1,"redirects":[]}\' | xdpctl redirect apply - --prune',
      description: 'no redirect at all',
      given: 'attached',
      output: `
- detach program 60 (redirect) in native mode from eth0`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    const words = new WordList(input.words);
    const file = words.take('the file');
    words.end();
    const confirm = parseConfirmTime(optionValue(input, 'confirm'));
    if (confirm !== undefined && file === '-') {
      throw usageError('--confirm reads its answer from standard input, so the document must be in a file');
    }
    const paths = await readDeclared(file, context);
    using held = await holdStore(context);
    const steps = planDeclared(paths, held.store, { prune: flag(input, 'prune') });
    await checkSafety(steps, flag(input, 'yes') || confirm !== undefined, context);
    if (context.options.dryRun) return dryRun(steps.flatMap(stepTexts));
    await carryOut(steps, held.store, context, { confirm });
    for (const step of steps) if (step.kind !== 'detach') await warnAboutTargets(step.path, context);
    return stepRows(steps, 'nothing to do: all is as declared');
  },
};
