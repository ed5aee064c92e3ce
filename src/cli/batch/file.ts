import type { Outcome } from '../../output/outcome.ts';
import { openInput } from '../input-file.ts';
import { flag, type Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { BatchRun } from './batch-run.ts';

export const verb: Verb = {
  object: 'batch',
  name: 'file',
  summary: 'run the commands of a file, one a line',
  synopsis: ['FILE [--keep-going]', '- [--keep-going]'],
  description: [
    "Each line is a command: an object, a verb and what follows them, options of the verb included. # begins a comment; a \\ at the end of a line joins the next one to it; a word in single or double quotes may contain blanks and #. A command, with the lines joined to it, may be up to 64 MiB long. Any verb may be on a line, except batch itself and those that run until they are stopped. Options of output (--json and the like) belong before 'batch'.",
    'The batch stops at the first line that fails. The error names the file, the line and the command, and says how many commands were applied before it; they stay applied. With --keep-going it goes on, reports each error, and ends with the exit code of the first.',
    'With --dry-run every line is checked and none changes anything. Later lines know of the pins that earlier lines would have made or removed, but not of entries: a line that depends on one is warned about.',
    'Maps stay open from line to line, which makes a batch much faster than single commands. What a line does to pins and names, the next line sees. Standard input is read as it comes, so another program can feed commands and read the answers.',
    'A batch finishes its work when the reader of its output has gone.',
  ],
  arguments: [{ name: 'FILE', description: 'a file; - reads standard input' }],
  options: [
    { name: 'keep-going', description: 'go on after a line that fails; the exit code is that of the first error' },
  ],
  changes: 'does what its lines say',
  json: 'an array of pairs: command (its words) and output (what the command prints with -j, or null). A failing line closes the array; error.batch on stderr has file, line, command and applied',
  capabilities: 'what its commands need',
  examples: [
    {
      command: 'cat updates.txt && xdpctl batch file updates.txt',
      description: 'a file, and what becomes of it',
      output: `
# two more ways out
map update pinned forward key 1 value dev eth1
map update pinned forward key 2 value dev eth0
map lookup pinned forward key 2
key        2
ifindex    2
interface  eth0
processed 3 commands`,
    },
    {
      command: 'xdpctl batch file mistake.txt',
      description: 'the second line of it names a key that the map does not have',
      exit: 2,
      output: `
error: mistake.txt:2: map update pinned forward key 64 value dev eth1 (1 command
applied before): key 64 is outside the devmap: its 64 keys go from 0 to 63`,
    },
    {
      command: 'xdpctl batch file mistake.txt --keep-going',
      description: 'the third line too',
      exit: 2,
      output: `
error: mistake.txt:2: map update pinned forward key 64 value dev eth1:
key 64 is outside the devmap: its 64 keys go from 0 to 63
error: 1 of 3 commands of mistake.txt failed, the first on line 2`,
    },
    {
      command: 'xdpctl -j batch file updates.txt',
      description: 'the answers as JSON',
      output: `
[{"command":["map","update","pinned","forward","key","1","value","dev","eth1"],
  "output":null},
 {"command":["map","update","pinned","forward","key","2","value","dev","eth0"],
  "output":null},
 {"command":["map","lookup","pinned","forward","key","2"],
  "output":{"key":["0x02","0x00","0x00","0x00"],
            "value":["0x02","0x00","0x00","0x00","0x00","0x00","0x00","0x00"],
            "formatted":{"key":2,"value":{"ifindex":2,"ifname":"eth0"}}}}]`,
    },
    {
      command: 'echo map dump pinned cpus | xdpctl batch file -',
      description: 'commands from another program',
      output: `
KEY  QSIZE  PROGRAM
  0    192
1 of 2 slots occupied
processed 1 commands`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    const words = new WordList(input.words);
    const file = words.take('the file');
    words.end();
    const batch = new BatchRun(await openInput(file, context), flag(input, 'keep-going'), context);
    return {
      kind: 'sequence',
      get findings() {
        return batch.findings;
      },
      run: (printer) => batch.run(printer),
    };
  },
};
