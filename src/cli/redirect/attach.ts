import { usageError } from '../../domain/errors.ts';
import { planPath, stepTexts } from '../../domain/path-plan.ts';
import { asOption, checkWish, type PathWish } from '../../domain/path-wish.ts';
import type { RedirectPath } from '../../domain/redirect-path.ts';
import { readOccupant } from '../../kernel/occupant.ts';
import type { PathStore } from '../../kernel/path-store.ts';
import { attachedPrograms } from '../../kernel/xdp-attachment.ts';
import { one, type Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import { flag, type Input, optionValue, type Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { carryOut } from './carry-out.ts';
import { parseConfirmTime } from './confirmation.ts';
import { placedData, placedLines } from './placed-text.ts';
import { resolvePath } from './resolve-path.ts';
import { checkSafety } from './safety.ts';
import { holdStore } from './store.ts';
import { warnAboutTargets } from './target-warnings.ts';
import { parseWish, wishOptions } from './wish-options.ts';

interface Request {
  readonly wishes: readonly PathWish[];
  readonly replace: boolean;
  /** Milliseconds; undefined: it stays without a confirmation. */
  readonly confirm: number | undefined;
  readonly yes: boolean;
}

export const verb: Verb = {
  object: 'redirect',
  name: 'attach',
  summary: 'redirect what arrives at a device',
  synopsis: [
    'DEV --to DEV [--to DEV]… [--broadcast [--exclude-ingress]] [--egress PROG | --dst-mac MAC --src-mac MAC] [--both] …',
    'DEV --cpus LIST [--qsize N] [--prog PROG] …',
    'DEV --xsk …',
    'DEV --map MAP …',
    'DEV --object FILE [--program NAME] [--to DEV | --cpus LIST | --xsk | --map MAP] …',
    '… [--key ingress|queue|N] [--on-miss aborted|drop|pass|tx] [--mode native|generic] [--link] [--replace] [--confirm T] [--yes]',
  ],
  description: [
    'Loads a redirect program with a map of targets, fills the map, verifies it, and only then attaches the program. A failure or a kill at any point leaves either the old state or the new one; the next command repairs what a killed one left.',
    'To one interface (--to), to several by receive queue (--key queue: the i-th serves queue i), or to all of several (--broadcast). To other CPUs, which then run the stack for the frames (--cpus); all frames of a flow go to the same one. To AF_XDP sockets by receive queue (--xsk); the applications enter them in the map, and queues without a socket pass to the stack. Through a map that exists (--map), whatever it holds; a devmap and an xskmap are looked up by receive queue, a devmap_hash by ingress unless --key says otherwise, and frames are spread over the entries that a cpumap has.',
    'With --object the program comes from a file of BPF programs made by clang. Targets, when some are given, are written to the one map of it that takes them, unless that is pinned already and may be in use; without, its maps are pinned for map update to fill. Maps that the file itself wants to be pinned (LIBBPF_PIN_BY_NAME) are taken from there, or pinned there as well.',
    'The mode is native unless --mode generic is given: a device whose driver has no XDP is refused, never silently served in generic mode.',
    'A program that is attached already is not replaced without --replace. In the same mode, and where both or neither are attached by a link, that is one step and no frame is lost; otherwise it says that there will be a gap. The dispatcher of libxdp is never replaced.',
    'A device that carries the default route, or the address of your SSH connection, itself or through a bridge, bond or VLAN on top of it, is refused without --yes or --confirm T. With --confirm the change is taken back after T unless you press Enter, also when the connection breaks or the command is ended by a signal; after SIGKILL by a second process, which lives as long as the command waits, and where that is killed too by the next command that changes redirects. Addresses of the device, and hardware that gets its first native program, are warned about. So is every target that cannot receive now.',
    'What it makes is pinned in one directory for each device below xdpctl/ in the bpffs; that and the id of the program are how detach knows its own.',
  ],
  arguments: [{ name: 'DEV', description: 'the interface where frames arrive' }],
  options: [
    ...wishOptions,
    { name: 'both', description: 'with one --to: the way back as well, both or neither' },
    { name: 'replace', description: 'replace the program that is attached now' },
    { name: 'confirm', value: 'T', description: 'take it back after T (60s, 2m) unless you press Enter' },
    { name: 'yes', description: 'also on the device by which you may be connected' },
  ],
  changes: 'loads programs and maps, pins them and attaches a program to the device',
  capabilities: 'CAP_BPF, CAP_NET_ADMIN; CAP_SYS_ADMIN to mount bpffs, to replace programs of others, or with --netns',
  json: 'an object: ifname, ifindex, mode, prog (id, name, tag), link_id with --link, maps, targets or cpus; with --both also back, the same for the way back',
  examples: [
    {
      command: 'xdpctl redirect attach eth0 --to eth1',
      description: 'what arrives at eth0 leaves through eth1',
      output: `
redirects  eth0 -> eth1
mode       native
program    redirect (60)
map        /sys/fs/bpf/xdpctl/4026532457_2/targets`,
    },
    {
      command: 'xdpctl redirect attach eth0 --to eth1',
      description: 'nothing that is attached is replaced unasked',
      given: 'attached',
      exit: 6,
      output: `
error: eth0 redirects already, by program 60 (redirect) in native mode: eth0 -> eth1
hint: add --replace to put this redirect in its place, or take it off first: xdpctl redirect detach eth0`,
    },
    {
      command: 'xdpctl -j redirect attach eth0 --to eth1 --replace',
      description: 'asked to, in one step, without a gap',
      given: 'attached',
      output: `
{"ifname":"eth0","ifindex":2,"mode":"native",
 "prog":{"id":61,"name":"redirect","tag":"…"},
 "maps":[{"id":45,"name":"targets","type":"devmap_hash",
          "pinned":"/sys/fs/bpf/xdpctl/4026532457_2/targets"}],
 "targets":["eth1"]}`,
    },
    {
      command: 'xdpctl redirect attach eth0 --to eth1 --both --dry-run',
      description: 'what would be done for both ways',
      output: `
would attach eth0 -> eth1 in native mode
would point key 2 at eth1
would attach eth1 -> eth0 in native mode
would point key 3 at eth0`,
    },
    {
      command: 'xdpctl -j redirect attach eth0 --cpus 0-1 --qsize 512',
      description: 'spread the work of the stack over two CPUs',
      output: `
{"ifname":"eth0","ifindex":2,"mode":"native",
 "prog":{"id":60,"name":"redirect","tag":"…"},
 "maps":[{"id":45,"name":"targets","type":"cpumap",
          "pinned":"/sys/fs/bpf/xdpctl/4026532457_2/targets"}],
 "cpus":[0,1]}`,
    },
    {
      command: 'xdpctl redirect attach eth0 --xsk',
      description: 'to AF_XDP sockets, which their applications enter in the map',
      output: `
redirects  eth0 -> AF_XDP sockets
mode       native
program    redirect (60)
map        /sys/fs/bpf/xdpctl/4026532457_2/targets`,
    },
    {
      command: 'xdpctl redirect attach eth0 --map /sys/fs/bpf/forward --key 0',
      description: 'through key 0 of a devmap that exists',
      output: `
redirects  eth0 -> devmap /sys/fs/bpf/forward
mode       native
program    redirect (60)
map        /sys/fs/bpf/xdpctl/4026532457_2/targets`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    const request = parseRequest(input);
    const paths: RedirectPath[] = [];
    for (const wish of request.wishes) paths.push(await resolvePath(wish, context));
    using held = await holdStore(context);
    const steps = paths.flatMap((path) => planned(path, request, held.store) ?? []);
    await checkSafety(steps, request.yes || request.confirm !== undefined, context);
    if (context.options.dryRun) {
      for (const path of paths) await warnAboutTargets(path, context);
      return dryRun(steps.flatMap(stepTexts));
    }
    const [placed, back] = await carryOut(steps, held.store, context, request);
    for (const path of paths) await warnAboutTargets(path, context);
    if (placed === undefined) throw new Error('nothing was put in place');
    return one({ ...placedData(placed), ...(back !== undefined && { back: placedData(back) }) }, [
      ...placedLines(placed),
      ...(back === undefined ? [] : placedLines(back)),
    ]);
  },
};

function planned(path: RedirectPath, { replace }: Request, store: PathStore): ReturnType<typeof planPath> {
  const there = readOccupant(store, path.device, attachedPrograms(path.device.ifindex));
  return planPath(path, there, replace ? 'any' : 'nothing');
}

function parseRequest(input: Input): Request {
  const words = new WordList(input.words);
  const dev = words.take('the interface');
  const more = words.peek();
  if (more !== undefined) {
    throw usageError(
      `unexpected word '${more}': only the interface where frames arrive comes without an option`,
      'where they leave is said by --to, once for each',
    );
  }
  const wish = parseWish(dev, input);
  checkWish(wish, asOption);
  return {
    wishes: flag(input, 'both') ? [wish, wayBack(wish)] : [wish],
    replace: flag(input, 'replace'),
    confirm: parseConfirmTime(optionValue(input, 'confirm')),
    yes: flag(input, 'yes'),
  };
}

function wayBack(wish: PathWish): PathWish {
  const [target] = wish.to ?? [];
  if (typeof target !== 'string' || wish.to?.length !== 1 || wish.object !== undefined) {
    throw usageError('--both goes with one --to, and with no --object');
  }
  if (wish.dst_mac !== undefined || wish.src_mac !== undefined) {
    throw usageError(
      '--both does not go with --dst-mac and --src-mac, which differ for the way back',
      'attach the two ways one by one',
    );
  }
  if (target === wish.dev) throw usageError(`the way back from ${target} to itself is the way there`);
  return { ...wish, dev: target, to: [wish.dev] };
}
