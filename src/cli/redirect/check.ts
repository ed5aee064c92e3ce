import type { Painter } from '../../output/color.ts';
import type { Outcome } from '../../output/outcome.ts';
import { counted } from '../../output/reporter.ts';
import { flag, type Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { examinePaths } from './examine.ts';
import { type ProblemData, problemData } from './problem-data.ts';
import { problemsText } from './problem-text.ts';

export const verb: Verb = {
  object: 'redirect',
  name: 'check',
  summary: 'say what is wrong with redirect paths, without any traffic, and what mends it',
  synopsis: ['[DEV] [--exit-code]'],
  description: [
    'Looks at every redirect path that begins in this network namespace: devices that are down, keys without an entry, targets that cannot transmit redirected frames, MTUs, the peers of veths and the namespaces they are in, transmit rings, AF_XDP sockets and receive queues without one, CPUs that are offline, members that a broadcast leaves out, modes and programs that do not go together. Nothing is sent, and nothing is changed.',
    'Each problem has a code, whether it is certain or likely, a sentence, and the command that mends it: certain where the system proves it, likely where it depends on the program, the driver or the intention. The codes are those of lost frames, see xdpctl-debug(8), and those of CHECK CODES.',
    'Two faults are not among them, because no system can have them: the kernel takes no program into an entry that was not loaded for entries of that map (map update says which kind it must be), and lets no program use a devmap or cpumap of which another one has decided whether its users take frames of several buffers (prog load says so). Only a devmap_hash can have both kinds: frags-clash.',
  ],
  arguments: [{ name: 'DEV', description: 'only what is redirected from this interface' }],
  options: [{ name: 'exit-code', description: 'exit 10 when something is wrong' }],
  capabilities: 'CAP_SYS_ADMIN',
  json: 'an array of problems: code, certainty, from, to, prog, map, key, explanation, fix; empty when all is well',
  examples: [
    {
      command: 'xdpctl redirect check',
      description: 'nothing is wrong',
      given: 'attached',
      output: `
nothing wrong with 1 path`,
    },
    {
      command: 'xdpctl redirect check eth0 --exit-code',
      description: 'something is, and a script is to know',
      given: 'losing',
      exit: 10,
      output: `
target-no-xmit (certain)  eth0 -> eth1
    eth1 cannot transmit redirected frames: it is a veth, and its peer
    peer1 (netns right) has neither GRO on nor an XDP program
    map targets (45), key 2, program redirect (60)
    fix: ip netns exec right ethtool -K peer1 gro on

1 problem with 1 path`,
    },
    {
      command: 'xdpctl -j redirect check',
      description: 'the same as JSON',
      given: 'losing',
      output: `
[{"code":"target-no-xmit","certainty":"certain",
  "from":{"ifindex":2,"ifname":"eth0"},"to":{"ifindex":3,"ifname":"eth1"},
  "prog":{"id":60,"name":"redirect"},
  "map":{"id":45,"name":"targets","pinned":["/sys/fs/bpf/xdpctl/4026532457_2/targets"]},
  "key":2,"explanation":"eth1 cannot transmit redirected frames: …",
  "fix":"ip netns exec right ethtool -K peer1 gro on"}]`,
    },
  ],
  run(input): Outcome {
    const words = new WordList(input.words);
    const ifname = words.done ? undefined : words.take('the interface');
    words.end();
    const { examined, system } = examinePaths(ifname);
    const problems = examined.flatMap((each) => problemData(each, system));
    return {
      kind: 'report',
      data: problems,
      text: (paint) => report(problems, examined.length, paint),
      findings: problems.length > 0 && flag(input, 'exit-code'),
    };
  },
};

function report(problems: readonly ProblemData[], paths: number, paint: Painter): string {
  if (paths === 0) return 'nothing is redirected\n';
  const where = `with ${counted(paths, 'path', 'paths')}`;
  if (problems.length === 0) return `${paint('ok', `nothing wrong ${where}`)}\n`;
  const verdict = `${counted(problems.length, 'problem', 'problems')} ${where}`;
  return `${problemsText(problems, paint)}\n${paint('bad', verdict)}\n`;
}
