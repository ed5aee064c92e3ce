import type { Outcome } from '../../output/outcome.ts';
import { viaWords } from '../../tracing/select.ts';
import { flag, type Verb } from '../verb.ts';
import { defaultMaxRate, parseDropsRequest } from './drops-request.ts';
import { printedCommand, watchOnce } from './drops-session.ts';
import { watchIntervals } from './drops-watch.ts';

export const verb: Verb = {
  object: 'debug',
  name: 'drops',
  summary: 'say which redirected frames are lost, why, and what mends it',
  synopsis: [
    '[DEV…] [--via auto|builtin|bpftrace|perf] [--duration T] [--interval T] [--follow] [--conserve] [--prog PROG] [--map MAP] [--exit-code] [--max-rate N] [--print-command]',
  ],
  description: [
    'Counts the tracepoints of the xdp group that this kernel has, until T has passed or SIGINT, SIGTERM or SIGHUP comes, then joins the counts with the interfaces, programs and map entries of the live system. Each loss gets a code, whether that is certain or likely, and the command that mends it; see debug explain CODE.',
    'DEV limits it to frames that came in by, or were to leave by, that interface.',
    'One line beginning ready: is printed on stderr when counting has begun. auto takes the built-in BPF programs, which count exactly and need no other tool; where the kernel has no BTF, bpftrace or perf. These need tracefs, which is mounted when it is not, unless --nomount is given.',
  ],
  arguments: [{ name: 'DEV', description: 'an interface' }],
  options: [
    { name: 'via', value: 'BACKEND', choices: viaWords, description: `what counts: ${viaWords.join(', ')}` },
    { name: 'duration', value: 'T', description: 'how long: 10, 10s, 500ms, 2m; without it until a signal' },
    {
      name: 'interval',
      value: 'T',
      description: 'tell every T what is new, and everything at the end; with -j an object a line',
    },
    {
      name: 'follow',
      description: 'on a terminal a picture that changes, largest loss first; elsewhere lines, every second',
    },
    {
      name: 'conserve',
      description:
        'also find broadcasts that no target could take, by counting every redirected frame, which costs: it says how much',
    },
    { name: 'prog', value: 'PROG', description: 'only frames of this program: id:N, tag:TAG, name:NAME or a path' },
    { name: 'map', value: 'MAP', description: 'only frames redirected through this map: id:N, name:NAME or a path' },
    { name: 'exit-code', description: 'exit 10 when frames were lost' },
    {
      name: 'max-rate',
      value: 'N',
      description: `stop, and say so, when more frames a second are lost than this (default ${defaultMaxRate.builtin} with builtin, ${defaultMaxRate.bpftrace} with the others)`,
    },
    {
      name: 'print-command',
      description:
        'print a command of bpftrace or perf that counts the same, for T where --duration is given, and run nothing',
    },
  ],
  capabilities:
    'CAP_BPF and CAP_PERFMON; with perf CAP_PERFMON alone; CAP_SYS_ADMIN to name programs and maps, and for bpftrace',
  longRunning: true,
  json: 'an object: backend, kernel, duration_s, events, totals.dropped (with --conserve also totals.redirected), findings sorted by count, blind; with --print-command: backend, command',
  examples: [
    {
      command: 'xdpctl debug drops eth0 --duration 1s',
      description: 'what is lost at eth0 within a second',
      given: 'losing',
      output: `
100 frames lost in 1.0 s (builtin, Linux 6.18…)

     100  target-no-xmit (certain)  eth0 -> eth1
          eth1 could not transmit redirected frames: it is a veth, and its peer
          peer1 (netns right) has neither GRO on nor an XDP program
          map targets (45), key 2, program redirect (60), EOPNOTSUPP
          fix: ip netns exec right ethtool -K peer1 gro on`,
    },
    {
      command: 'xdpctl -j debug drops eth0 --duration 1s --via perf --exit-code',
      description: 'the same counted by perf, as JSON, and a failure for a script',
      given: 'losing',
      exit: 10,
      output: `
{"backend":"perf","kernel":"6.18…","duration_s":1.001,
 "events":["xdp:xdp_redirect_err",…],"totals":{"dropped":100},
 "findings":[{"code":"target-no-xmit","certainty":"certain","count":100,
   "event":"xdp_redirect_err","errno":95,"errnoName":"EOPNOTSUPP",
   "from":{"ifindex":2,"ifname":"eth0"},"to":{"ifindex":3,"ifname":"eth1"},
   "prog":{"id":60,"name":"redirect","role":"ingress"},
   "map":{"id":45,"name":"targets","pinned":["/sys/fs/bpf/xdpctl/4026532392_2/targets"]},
   "key":2,"explanation":"eth1 could not transmit redirected frames: …",
   "fix":"ip netns exec right ethtool -K peer1 gro on"}],
 "blind":["a broadcast without an eligible target is reported as success",…]}`,
    },
    {
      command: 'xdpctl debug drops eth0 --interval 1s --duration 2s',
      description: 'what is new every second, and everything at the end; --follow shows it as a picture on a terminal',
      given: 'losing',
      output: `
    1.0 s  100 frames lost
              +100  target-no-xmit  eth0 -> eth1, map targets, key 2, program redirect
                    certain: eth1 could not transmit redirected frames: …
                    fix: ip netns exec right ethtool -K peer1 gro on
    2.0 s  100 frames lost
              +100  target-no-xmit  eth0 -> eth1, map targets, key 2, program redirect

100 frames lost in 1.0 s (builtin, Linux 6.18…)
…`,
    },
    {
      command: 'xdpctl debug drops --print-command',
      description: 'a command that counts the same, to copy and paste; nothing is run',
      output: `
env BPFTRACE_MAP_KEYS_MAX=16384 BPFTRACE_MAX_MAP_KEYS=16384 bpftrace -e '…'`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    const request = parseDropsRequest(input, context);
    if (flag(input, 'print-command')) return printedCommand(request, context);
    return request.every === undefined ? watchOnce(request, context) : watchIntervals(request, request.every, context);
  },
};
