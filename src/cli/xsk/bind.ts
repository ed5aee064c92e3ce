import { KernelRefusal } from '../../domain/errors.ts';
import { largestFrame } from '../../domain/xsk-remedy.ts';
import type { BpfMap } from '../../kernel/map.ts';
import { type One, one, type Outcome, type StreamItem } from '../../output/outcome.ts';
import { type Context, Interrupted } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { mapText } from '../map/map-text.ts';
import type { Verb } from '../verb.ts';
import { type BindTarget, checkBind, occupied } from './bind-checks.ts';
import { type Cause, consume, endSession } from './bind-ending.ts';
import { checkOutput } from './bind-output.ts';
import { type BindSummary, IntervalReport, summaryItem, summaryLines } from './bind-report.ts';
import { type BindRequest, parseBindRequest } from './bind-request.ts';
import { BindSession } from './bind-session.ts';
import { holderOf, queueTaken } from './queue-holder.ts';

export const verb: Verb = {
  object: 'xsk',
  name: 'bind',
  summary: 'bind an AF_XDP socket to a receive queue and consume what comes',
  synopsis: [
    'DEV --queue N (--map MAP | --attach [--mode native|generic]) [--copy|--zero-copy] [--frames N] [--frame-size 2048|4096] [--rx-size N] [--fill-size N] [--count N] [--duration T] [--interval T] [--action drop|echo] [--write FILE.pcapng [--overwrite]] [--busy] [--yes]',
  ],
  description: [
    'Opens the socket, binds it to queue N of DEV, and only then enters it in the XSKMAP at key N: a socket that is in the map before it is bound loses every frame. Then a line beginning ready: is printed on stderr. It stays in the foreground and takes the frames; on the way out (SIGINT, SIGTERM, SIGHUP, --count, --duration) it takes the entry out of the map and frees the queue.',
    'The frames come by an XDP program that redirects into the map by receive queue. --attach brings one, with a map of its own, and takes both away at the end, also when the process is killed; frames of other queues pass to the stack.',
    'What the kernel could not give to the socket is counted and named by the codes of debug explain. A queue that is still being released is waited for, for a second.',
    'A frame must fit one buffer; what is larger is lost, also where the MTU lets it come (xsk-frame-too-large). Before Linux 6.6 no socket gets a frame that its driver received into several buffers; that is warned about as well.',
    'With --attach a device that carries the default route, or the address of your SSH connection, is refused without --yes or --duration: the stack gets no more frames of the queue. Addresses of the device, a driver that may reset its rings, an MTU that is larger than a buffer, and a map that no attached program uses are warned about.',
    'A device that is deleted, or moved to another network namespace, while the socket is bound ends the command with exit 1. A second signal ends it at once; what it put into the kernel goes with it.',
  ],
  arguments: [{ name: 'DEV', description: 'the interface where frames arrive' }],
  options: [
    { name: 'queue', value: 'N', description: 'the receive queue; also the key in the map' },
    { name: 'map', value: 'MAP', description: 'the XSKMAP: id:N, name:NAME or a path' },
    { name: 'attach', description: 'bring a program and a map, and take them away at the end' },
    {
      name: 'mode',
      value: 'MODE',
      choices: ['native', 'generic'],
      description: 'how --attach attaches: native (default) or generic',
    },
    { name: 'copy', description: 'the kernel copies frames into the memory of the socket' },
    { name: 'zero-copy', description: 'the driver writes them there, or the command fails; without either: if it can' },
    { name: 'frames', value: 'N', description: 'buffers for frames (default: twice --rx-size)' },
    {
      name: 'frame-size',
      value: 'BYTES',
      choices: ['2048', '4096'],
      description: `size of a buffer: 2048 (default) takes frames of ${largestFrame(2048)} bytes, 4096 of ${largestFrame(4096)}`,
    },
    { name: 'rx-size', value: 'N', description: 'entries of the RX ring, a power of two (default 2048)' },
    {
      name: 'fill-size',
      value: 'N',
      description: 'entries of the fill ring, a power of two (default: as many as --frames)',
    },
    { name: 'count', value: 'N', description: 'end after N frames' },
    { name: 'duration', value: 'T', description: 'end after this time: 10, 10s, 500ms, 2m' },
    { name: 'interval', value: 'T', description: 'print rates and losses each time this has passed' },
    {
      name: 'action',
      value: 'ACTION',
      choices: ['drop', 'echo'],
      description: 'drop (default), or echo: exchange the MAC addresses and send the frame back',
    },
    {
      name: 'write',
      value: 'FILE',
      description: 'write the frames to a pcapng file, for tcpdump and Wireshark; - is standard output',
    },
    { name: 'overwrite', description: 'replace the file of --write; never what a symbolic link leads to' },
    {
      name: 'busy',
      description: 'look for frames all the time: takes a whole CPU, and the first frame is seen sooner',
    },
    { name: 'yes', description: 'with --attach, also on the device by which you may be connected' },
  ],
  changes: 'binds a socket to the queue and writes an entry of the map; with --attach loads and attaches a program',
  longRunning: true,
  capabilities:
    'CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF; CAP_SYS_ADMIN for a map by id or name, and with --netns; CAP_IPC_LOCK for more memory than ulimit -l allows (8 MiB are asked for by default)',
  json: 'an object when it ends; with --interval also one each time, one a line',
  examples: [
    {
      command: 'xdpctl xsk bind eth0 --queue 0 --attach --duration 1s',
      description: 'what arrives at queue 0 within a second',
      given: 'arriving',
      output: `
queue    0 of eth0 (copy mode)
map      id 45 (targets), key 0
program  redirect (60): 100 redirected, 0 left to the stack
frames   100 (6000 bytes) in 1.0 s`,
    },
    {
      command: 'xdpctl -j xsk bind eth0 --queue 0 --attach --duration 1s',
      description: 'the same as a JSON object',
      given: 'arriving',
      output: `
{"ifname":"eth0","ifindex":2,"queue":0,
 "map":{"id":45,"name":"targets","key":0},"mode":"copy",
 "prog":{"id":60,"name":"redirect","redirected":100,"missed":0},
 "frames":100,"bytes":6000,"unread":0,"duration_s":1.001,"losses":[],
 "statistics":{"rx_dropped":0,"rx_invalid_descs":0,"tx_invalid_descs":0,
   "rx_ring_full":0,"rx_fill_ring_empty_descs":0,"tx_ring_empty_descs":0}}`,
    },
  ],
  async run(input, context): Promise<Outcome | undefined> {
    const request = parseBindRequest(input);
    checkOutput(request, context.options);
    const { path } = request;
    const open = (): BpfMap | undefined => ('map' in path ? context.maps.open(path.map) : undefined);
    const target = checkBind(request, open, context.env);
    for (const warning of target.warnings) await context.warn(warning);
    if (context.options.dryRun) {
      checkFree(request, target);
      return dryRun(steps(request, target));
    }
    const session = await start(request, target, context);
    await context.ready(readyText(request, session));
    if (request.interval !== undefined) {
      return { kind: 'stream', items: eachInterval(session, request.interval, request) };
    }
    using _session = session;
    const cause = await consume(session, deadline(session, request));
    const { summary, failure } = await endSession(session, request, cause);
    if (failure === undefined && request.write?.path !== '-') return outcomeOf(summary);
    await noteSummary(summary, context);
    if (failure !== undefined) throw failure;
    return undefined;
  },
};

function steps({ queue, ifname, path, write }: BindRequest, { map }: BindTarget): string[] {
  return [
    `bind an AF_XDP socket to queue ${queue} of ${ifname}`,
    `enter it at key ${queue} of ${map === undefined ? 'a new xskmap' : mapText(map.info)}`,
    ...('attach' in path ? [`attach a program that redirects into it to ${ifname} in ${path.attach} mode`] : []),
    ...(write === undefined ? [] : [`write the frames to ${write.path}`]),
  ];
}

/** Binding finds it out too, and waits for a queue that is being released. @throws ToolError conflict */
function checkFree(request: BindRequest, { device }: BindTarget): void {
  const holder = holderOf(device.ifindex, request.queue);
  if (holder !== undefined && holder.owners.length > 0) throw queueTaken(request, holder);
}

async function start(request: BindRequest, target: BindTarget, { signal }: Context): Promise<BindSession> {
  try {
    return await BindSession.start(request, target, signal);
  } catch (error) {
    if (signal.aborted) throw new Interrupted('interrupted before the socket was bound');
    if (!(error instanceof KernelRefusal)) throw error;
    const { operation, errno } = error;
    const { device, map } = target;
    if (operation === 'xsk bind' && errno === EBUSY) {
      throw queueTaken(request, holderOf(device.ifindex, request.queue));
    }
    // Somebody was quicker than we after the check.
    if (operation === 'map update' && errno === EEXIST && map) throw occupied(map, request.queue);
    throw error;
  }
}

const EBUSY = 16;
const EEXIST = 17;

function readyText({ queue, ifname }: BindRequest, { binding }: BindSession): string {
  const mode = binding.zeroCopy ? 'zero-copy' : 'copy';
  return `queue ${queue} of ${ifname} is bound (${mode} mode), key ${queue} of ${mapText(binding.map.info)}`;
}

async function* eachInterval(session: BindSession, interval: number, request: BindRequest): AsyncGenerator<StreamItem> {
  using _session = session;
  const end = deadline(session, request);
  const { zeroCopy } = session.binding;
  const report = new IntervalReport({ zeroCopy, echo: request.echo, setup: session.setup });
  let next = session.started + interval;
  let cause: Cause;
  for (;;) {
    cause = await consume(session, Math.min(next, end));
    const now = performance.now();
    if (!('ending' in cause) || cause.ending !== 'time' || now >= end) break;
    yield report.item(session.read());
    // Times that were missed, because this process was not let run, are left out.
    next += interval * Math.max(1, Math.ceil((now - next) / interval));
  }
  const { summary, failure } = await endSession(session, request, cause);
  yield summaryItem(summary);
  if (failure !== undefined) throw failure;
}

function deadline({ started }: BindSession, { duration }: BindRequest): number {
  return duration === undefined ? Infinity : started + duration;
}

function outcomeOf(summary: BindSummary): One {
  return one(summary, summaryLines(summary));
}

/** The summary where stdout is not for it, in columns as there. */
async function noteSummary(summary: BindSummary, context: Context): Promise<void> {
  const { lines } = outcomeOf(summary);
  const width = Math.max(...lines.map(([label]) => label.length));
  for (const [label, value] of lines) await context.note(`${label.padEnd(width)}  ${value}`);
}
