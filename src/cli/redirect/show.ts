import { usageError } from '../../domain/errors.ts';
import { type Typed, typedAt } from '../../domain/typed-command.ts';
import type { Painter } from '../../output/color.ts';
import { dotText } from '../../output/dot.ts';
import { mermaidText } from '../../output/mermaid.ts';
import type { Outcome } from '../../output/outcome.ts';
import { optionValue, type Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { type Examination, examinePaths } from './examine.ts';
import { pathGraph } from './path-graph.ts';
import { showData } from './show-data.ts';
import { showTable } from './show-table.ts';
import { showTree } from './show-tree.ts';

const formats: Readonly<Record<string, (examination: Examination, paint: Painter, typed: Typed) => string>> = {
  table: showTable,
  tree: showTree,
  dot: (examination) => dotText(pathGraph(examination)),
  mermaid: (examination) => mermaidText(pathGraph(examination)),
};

export const verb: Verb = {
  object: 'redirect',
  name: 'show',
  aliases: ['list'],
  summary: 'show what is redirected: interface, program, maps, targets, and whether these can receive',
  synopsis: ['[DEV] [--format table|tree|dot|mermaid]'],
  description: [
    'Joins what nothing else joins: the program on each interface of this network namespace, the link by which it is attached, its redirect maps, their entries, and the state of every target. Programs of others are shown as well: all that have a redirect map. (A program that calls bpf_redirect() without one cannot be told from others.) Behind the dispatcher of libxdp its components are shown.',
    'HEALTH is ok, or the codes of what is wrong: redirect check says what to do about them, debug explain CODE tells more.',
    '--format dot is for Graphviz (dot -Tsvg), --format mermaid for pages that draw Mermaid. With -j it is JSON, whatever the format.',
  ],
  arguments: [{ name: 'DEV', description: 'only what is redirected from this interface' }],
  options: [
    {
      name: 'format',
      value: 'FORMAT',
      choices: Object.keys(formats),
      description: 'table (default), tree, dot or mermaid',
    },
  ],
  capabilities: 'CAP_SYS_ADMIN',
  json: 'an array of paths, also with DEV: interface, mode, program, maps, their entries with the health of each',
  examples: [
    {
      command: 'xdpctl redirect show',
      description: 'everything that is redirected',
      given: 'attached',
      output: `
INTERFACE  MODE    PROGRAM        LINK  MAP           KEY  TARGET  HEALTH
eth0       native  redirect (60)     -  targets (45)    2  eth1    ok
1 path`,
    },
    {
      command: 'xdpctl redirect show eth0 --format tree',
      description: 'one interface, as a tree',
      given: 'losing',
      output: `
eth0 (native)
\`-- redirect (60)
    \`-- targets (45), devmap_hash, 1 of 32 used, /sys/fs/bpf/xdpctl/4026532457_2/targets
        \`-- key 2 -> eth1  target-no-xmit
1 path, 1 problem: xdpctl redirect check says what to do`,
    },
    {
      command: 'xdpctl redirect show --format dot',
      description: 'a drawing: pipe it into dot -Tsvg',
      given: 'attached',
      output: `
digraph redirect {
…
}`,
    },
    {
      command: 'xdpctl -j redirect show eth0',
      description: 'the same as JSON',
      given: 'losing',
      output: `
[{"ifname":"eth0","ifindex":2,"mode":"native",
  "prog":{"id":60,"name":"redirect","tag":"…"},
  "health":{"ok":false,"problems":["target-no-xmit"]},
  "maps":[{"id":45,"name":"targets","type":"devmap_hash","max_entries":32,"used":1,
    "pinned":["/sys/fs/bpf/xdpctl/4026532457_2/targets"],
    "entries":[{"key":["0x02","0x00","0x00","0x00"],
      "formatted":{"key":2,"value":{"ifindex":3,"ifname":"eth1"}},
      "health":{"ok":false,"problems":["target-no-xmit"]}}]}]}]`,
    },
  ],
  run(input, { options }): Outcome {
    const words = new WordList(input.words);
    const ifname = words.done ? undefined : words.take('the interface');
    words.end();
    const name = optionValue(input, 'format') ?? 'table';
    const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
    if (format === undefined) throw usageError(`--format takes ${Object.keys(formats).join(', ')}, not '${name}'`);
    const examination = examinePaths(ifname);
    const typed = typedAt(options.netns);
    return { kind: 'report', data: showData(examination), text: (paint) => format(examination, paint, typed) };
  },
};
