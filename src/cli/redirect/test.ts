import { randomBytes } from 'node:crypto';
import { release } from 'node:os';

import { ToolError, usageError } from '../../domain/errors.ts';
import { pathProblems } from '../../domain/health.ts';
import { kernelAtLeast } from '../../domain/kernel-version.ts';
import { setUp } from '../../domain/ledger/fixes.ts';
import { beyondMtu } from '../../domain/ledger/target.ts';
import type { LiveSystem } from '../../domain/live-system.ts';
import { type ObservedPath, observedPath, observedPaths } from '../../domain/observed-path.ts';
import { isPredictable, whyBroadcast, whyPass } from '../../domain/trial-guard.ts';
import { trialLedger } from '../../domain/trial-ledger.ts';
import { checkTold } from '../../domain/trial-untold.ts';
import { readLiveSystem } from '../../kernel/inventory.ts';
import { LIVE_QUEUE, LiveFrames, LONGEST_LIVE_FRAME } from '../../kernel/live-frames.ts';
import { objectIds } from '../../kernel/object-ids.ts';
import { BpfProgram } from '../../kernel/program.ts';
import { mountKernelFilesystem } from '../../kernel/tracefs-mount.ts';
import type { Outcome } from '../../output/outcome.ts';
import { ensureTracefs } from '../../tracing/tracefs.ts';
import type { Context } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { flag, type Input, optionValue, type Verb } from '../verb.ts';
import { parseUnsigned } from '../words/number.ts';
import { WordList } from '../words/word-list.ts';
import { deviceIndex } from './store.ts';
import { trialReport, trialText } from './trial-report.ts';
import { runTrial, type TrialOutcome } from './trial.ts';

interface Request {
  readonly ifname: string;
  readonly count: number;
  readonly size: number;
  readonly allowBroadcast: boolean;
  readonly allowPass: boolean;
  readonly exitCode: boolean;
}

const DEFAULT_COUNT = 100;
const MOST_FRAMES = 10_000_000;
/** The shortest frame of an Ethernet, without its checksum. */
const SHORTEST = 60;
/** For local experiments (IEEE 802): no stack knows what to do with it. */
const ETHERTYPE = 0x88b5;

export const verb: Verb = {
  object: 'redirect',
  name: 'test',
  summary: 'send frames through the program on an interface, and account for each',
  synopsis: ['DEV --transmit [--count N] [--size BYTES] [--exit-code] [--allow-broadcast] [--allow-pass]'],
  description: [
    'Makes frames as if they had arrived at DEV, runs the attached program on each, and lets the kernel do what it says: what is redirected really leaves through its target. Hence it does nothing without --transmit. The frames are unicast, of ethertype 0x88B5, from and to one address that nobody has, so that no switch passes them on; there are at most 10,000 a second. They seem to have come by receive queue 0, because the kernel makes no others; where a program looks its targets up by queue, redirect check looks at those of all queues.',
    'The ledger is exact: sent + copies = delivered + passed + sent back + dropped, where the copies are those of a broadcast. It comes from tracepoints that are followed in the thread that sends, so that other traffic is not counted, and from the counters of the targets. Each drop has the code, sentence and command of debug drops. Delivered means that the driver took the frame, the CPU passed it on, or the socket got it. Where the trace buffer lost events and the rest does not tell what became of every frame, there is no ledger (exit 1): a frame of which nothing was heard is not called dropped then.',
    'A path that broadcasts is refused without --allow-broadcast, one that hands frames to the network stack of this host without --allow-pass; a cpumap does that. Of a program that is not ours it cannot be told whether it broadcasts, so a devmap with several entries counts as one; what it does with such a frame is found out by running it once without sending. On Linux 6.1 the copies of a broadcast are garbled, with 40 other bytes in front: the kernel keeps struct xdp_frame of such frames elsewhere than xdpf_clone() looks for it. They are counted all the same.',
    'Generic mode cannot be tested: such frames always take the native path. Linux 5.18 is required.',
  ],
  arguments: [{ name: 'DEV', description: 'the interface where the frames are to seem to arrive' }],
  options: [
    { name: 'transmit', description: 'really send' },
    { name: 'count', value: 'N', description: `how many frames (default ${DEFAULT_COUNT})` },
    {
      name: 'size',
      value: 'BYTES',
      description: `of a frame with its Ethernet header, ${SHORTEST} (default) to ${LONGEST_LIVE_FRAME}`,
    },
    { name: 'exit-code', description: 'exit 10 when a frame was dropped' },
    { name: 'allow-broadcast', description: 'send although each frame may leave through several interfaces' },
    { name: 'allow-pass', description: 'send although frames go to the network stack of this host' },
  ],
  changes: 'sends frames',
  capabilities: 'CAP_SYS_ADMIN, and the right to make a trace instance in tracefs, which root has',
  json: 'an object: ifname, ifindex, queue, prog, size, sent, copies, delivered, passed, sent_back, dropped, targets, findings',
  examples: [
    {
      command: 'xdpctl redirect test eth0 --transmit --count 1000',
      description: 'a path that works',
      given: 'attached',
      output: `
sent          1000  of 60 bytes, through redirect (60) on eth0, queue 0
delivered     1000  eth1: 1000
passed           0
sent back        0
dropped          0`,
    },
    {
      command: 'xdpctl redirect test eth0 --transmit --exit-code',
      description: 'one that does not, and a script is to know',
      given: 'losing',
      exit: 10,
      output: `
sent           100  of 60 bytes, through redirect (60) on eth0, queue 0
delivered        0
passed           0
sent back        0
dropped        100

     100  target-no-xmit (certain)
          eth1 could not transmit redirected frames: it is a veth, and its peer
          peer1 (netns right) has neither GRO on nor an XDP program
          fix: ip netns exec right ethtool -K peer1 gro on`,
    },
    {
      command: 'xdpctl -j redirect test eth0 --transmit --count 10 --size 1400',
      description: 'the same as JSON',
      given: 'attached',
      output: `
{"ifname":"eth0","ifindex":2,"queue":0,"prog":{"id":60,"name":"redirect"},"size":1400,
 "sent":10,"copies":0,"delivered":10,"passed":0,"sent_back":0,"dropped":0,
 "targets":[{"to":{"ifindex":3,"ifname":"eth1"},"delivered":10}],"findings":[]}`,
    },
    {
      command: 'xdpctl redirect test eth0',
      description: 'nothing is sent unasked',
      given: 'attached',
      exit: 2,
      output: `
error: redirect test really sends frames out of the targets of eth0, so it wants --transmit
hint: xdpctl redirect check eth0 looks at the path without sending anything`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    const request = parseRequest(input, context);
    const ifindex = deviceIndex(request.ifname);
    // The snapshot puts up with missing rights; here it would seem that there is no program.
    objectIds('prog').next();
    const system = readLiveSystem();
    const path = pathAt(ifindex, system, request);
    const frame = makeFrame(request.size);
    using program = BpfProgram.byId(path.program.id);
    const frames = new LiveFrames(program, frame, ifindex);
    checkBroadcast(path, request);
    // Running a program changes its maps, so a dry run does without.
    const action = context.options.dryRun || isPredictable(path) ? undefined : frames.rehearse();
    checkPass(path, request, action);
    if (context.options.dryRun) {
      return dryRun([
        `run program ${program.info.id} on ${request.count} frames of ${request.size} bytes as if they had arrived at ${request.ifname}, and send what it redirects`,
      ]);
    }
    const tracefs = context.options.nomount ? ensureTracefs() : ensureTracefs(mountKernelFilesystem);
    const { count, allowPass } = request;
    const trial = await runTrial({ path, program, frames, count, allowPass, tracefs }, context);
    await warnOfEnd(trial, context);
    const problems = pathProblems(path, system, observedPaths(system));
    const ledger = trialLedger({ path, problems, system, action, size: request.size, ...trial });
    checkTold(trial, ledger);
    await warnOfLoss(trial, context);
    await warnOfOtherQueues(path, context);
    const { ifname, size } = request;
    const { id, name } = program.info;
    const report = trialReport(
      { ifname, ifindex, queue: LIVE_QUEUE, prog: { id, ...(name !== '' && { name }) }, size },
      ledger,
    );
    return {
      kind: 'report',
      data: report,
      text: (paint) => trialText(report, paint),
      findings: ledger.dropped > 0 && request.exitCode,
    };
  },
};

function parseRequest(input: Input, { options }: Context): Request {
  const words = new WordList(input.words);
  const ifname = words.take('the interface');
  words.end();
  const number = (name: string, usual: number, most: number): number => {
    const value = optionValue(input, name);
    return value === undefined ? usual : parseUnsigned(value, `--${name}`, most);
  };
  const count = number('count', DEFAULT_COUNT, MOST_FRAMES);
  const size = number('size', SHORTEST, LONGEST_LIVE_FRAME);
  if (count === 0) throw usageError('--count 0 sends nothing: at least 1');
  if (size < SHORTEST) throw usageError(`--size ${size} is out of range: at least ${SHORTEST} bytes`);
  if (!flag(input, 'transmit') && !options.dryRun) {
    throw usageError(
      `redirect test really sends frames out of the targets of ${ifname}, so it wants --transmit`,
      ({ own }) => `${own(['redirect', 'check', ifname])} looks at the path without sending anything`,
    );
  }
  return {
    ifname,
    count,
    size,
    allowBroadcast: flag(input, 'allow-broadcast'),
    allowPass: flag(input, 'allow-pass'),
    exitCode: flag(input, 'exit-code'),
  };
}

/** The path that begins at the device. @throws ToolError for one that cannot be tested */
function pathAt(ifindex: number, system: LiveSystem, { ifname, size }: Request): ObservedPath {
  const device = system.devices.find((each) => each.ifindex === ifindex && each.netns.current);
  const path = device && observedPath(device, system);
  if (device === undefined || path === undefined) {
    throw new ToolError('not-found', `${ifname} has no XDP program attached`, {
      hint: ({ own }) => `${own(['redirect', 'attach', ifname, '--to', 'DEV'])} attaches one`,
    });
  }
  if (path.mode !== 'native') {
    throw new ToolError('unsupported', `the program on ${ifname} runs in ${path.mode} mode, which cannot be tested`, {
      hint: ({ own }) =>
        `frames that are made always take the native path; send real ones, and watch them with: ${own(['debug', 'drops'])}`,
    });
  }
  if (!kernelAtLeast(system.kernel, '5.18')) {
    throw new ToolError('unsupported', `this kernel (${release()}) cannot make frames arrive: Linux 5.18 is required`);
  }
  if (!device.up) {
    const fix = setUp(device);
    throw new ToolError(
      'refused',
      `${ifname} is down, so nothing arrives there`,
      fix === undefined ? {} : { hint: fix },
    );
  }
  if (size > device.mtu + beyondMtu) {
    throw usageError(
      `--size ${size} is out of range: ${ifname} has an MTU of ${device.mtu}, so no frame of more than ${device.mtu + beyondMtu} bytes arrives there`,
    );
  }
  return path;
}

function checkBroadcast(path: ObservedPath, { allowBroadcast }: Request): void {
  const reason = allowBroadcast ? undefined : whyBroadcast(path);
  if (reason === undefined) return;
  throw usageError(reason, 'if frames may leave through all of them, add --allow-broadcast');
}

function checkPass(path: ObservedPath, { allowPass }: Request, action: number | undefined): void {
  const reason = allowPass ? undefined : whyPass(path, LIVE_QUEUE, action);
  if (reason === undefined) return;
  throw usageError(reason, 'if frames may go to the network stack of this host, add --allow-pass');
}

async function warnOfEnd({ stopped, sent }: TrialOutcome, context: Context): Promise<void> {
  if (!stopped) return;
  await context.warn({
    message: `stopped after ${sent} frames: the program passes some to the network stack of this host`,
    hint: 'if that may be, add --allow-pass',
  });
}

async function warnOfLoss({ lost }: TrialOutcome, context: Context): Promise<void> {
  if (lost > 0) await context.warn({ message: `${lost} events were lost, so the ledger is not exact` });
}

/** What a test cannot tell of a program of ours that looks its targets up by receive queue. */
async function warnOfOtherQueues({ device, maps }: ObservedPath, context: Context): Promise<void> {
  const queues = device.rxQueues ?? 1;
  if (queues === 1 || !maps.some(({ user }) => user.keySource === 'queue')) return;
  await context.warn({
    message: `only what comes by receive queue ${LIVE_QUEUE} was tested, one of the ${queues} that ${device.ifname} has`,
    hint: ({ own }) => `${own(['redirect', 'check', device.ifname])} looks at the targets of all queues`,
  });
}

/**
 * From and to one locally administered address, which nobody has: a switch learns that it is where the frame comes from,
 * and passes it on to nobody.
 */
function makeFrame(size: number): Uint8Array {
  const frame = new Uint8Array(size);
  const address = randomBytes(6);
  address[0] = 0x02;
  frame.set(address, 0);
  frame.set(address, 6);
  new DataView(frame.buffer).setUint16(12, ETHERTYPE);
  return frame;
}
