import { ToolError, usageError } from '../../domain/errors.ts';
import { type MissAction, missActions } from '../../domain/redirect-config.ts';
import { BpfProgram } from '../../kernel/program.ts';
import { type AttachedPath, type PathPlan, putInPlace } from '../../kernel/redirect-path.ts';
import { queryXdp, type XdpAttachment, type XdpMode } from '../../kernel/xdp-attachment.ts';
import { one, type Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import { flag, type Input, optionValue, optionValues, type Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { deviceIndex, lockStores } from './store.ts';

interface Request {
  readonly ifname: string;
  readonly target: string;
  readonly mode: XdpMode;
  readonly onMiss: MissAction;
  readonly replace: boolean;
}

export const verb: Verb = {
  object: 'redirect',
  name: 'attach',
  summary: 'redirect what arrives at a device to another one',
  synopsis: ['DEV --to DEV [--mode native|generic] [--on-miss aborted|drop|pass|tx] [--replace]'],
  description: [
    'Loads a redirect program with a map of targets (a devmap_hash by ingress ifindex), fills the map, verifies it, and only then attaches the program. A failure or a kill at any point leaves either the old state or the new one; the next command repairs what a killed one left.',
    'The mode is native unless --mode generic is given: a device whose driver has no XDP is refused, never silently served in generic mode.',
    'A program that is attached already is not replaced without --replace.',
    'What it makes is pinned in one directory for each device below xdpctl/ in the bpffs; that and the id of the program are how detach knows its own.',
  ],
  arguments: [{ name: 'DEV', description: 'the interface where frames arrive' }],
  options: [
    { name: 'to', value: 'DEV', repeatable: true, description: 'the interface where frames leave' },
    { name: 'mode', value: 'MODE', choices: ['native', 'generic'], description: 'native (default) or generic' },
    {
      name: 'on-miss',
      value: 'ACTION',
      choices: Object.keys(missActions),
      description: 'what happens to a frame whose key has no entry: aborted (default), drop, pass or tx',
    },
    { name: 'replace', description: 'replace the program that is attached now' },
  ],
  changes: 'loads a program and a map, pins them and attaches the program to the device',
  capabilities: 'CAP_BPF, CAP_NET_ADMIN; CAP_SYS_ADMIN to replace a program, to mount bpffs, and with --netns',
  json: 'an object: ifname, ifindex, mode, prog (id, name, tag), maps, and targets',
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
error: eth0 has program 60 attached in native mode
hint: add --replace to put this redirect in its place, or take it off first`,
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
      command: 'xdpctl redirect attach eth0 --to eth1 --dry-run',
      description: 'what would be done',
      output: `
would load redirect_devmap_hash and point key 2 of its map at eth1
would attach it to eth0 in native mode`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    const request = parseRequest(input);
    const ifindex = deviceIndex(request.ifname);
    const plan = planOf(request, ifindex, deviceIndex(request.target));
    using stores = await lockStores(context);
    const store = stores.of(ifindex);
    const replacedId = checkFree(queryXdp(ifindex), request);
    if (context.options.dryRun) {
      return dryRun([
        `load ${plan.object} and point key ${ifindex} of its map at ${request.target}`,
        `attach it to ${request.ifname} in ${request.mode} mode`,
      ]);
    }
    using replaced = replacedId === undefined ? undefined : BpfProgram.byId(replacedId);
    const path = putInPlace(plan, store, replaced && { program: replaced });
    return attached(request, ifindex, path);
  },
};

function parseRequest(input: Input): Request {
  const words = new WordList(input.words);
  const ifname = words.take('the interface');
  words.end();
  const targets = optionValues(input, 'to');
  const [target] = targets;
  if (target === undefined) throw usageError("the target is missing: '--to DEV'");
  if (targets.length > 1) throw usageError(`one target is taken, not ${targets.length}`);
  const mode = optionValue(input, 'mode') ?? 'native';
  if (mode !== 'native' && mode !== 'generic') {
    throw usageError(`--mode takes native or generic, not '${mode}'`);
  }
  const onMiss = optionValue(input, 'on-miss') ?? 'aborted';
  if (!Object.hasOwn(missActions, onMiss)) {
    throw usageError(`--on-miss takes ${Object.keys(missActions).join(', ')}, not '${onMiss}'`);
  }
  return { ifname, target, mode, onMiss: onMiss as MissAction, replace: flag(input, 'replace') };
}

function planOf(request: Request, ifindex: number, target: number): PathPlan {
  return {
    ifindex,
    mode: request.mode,
    object: 'redirect_devmap_hash',
    config: { onMiss: request.onMiss, key: 'ingress', broadcast: false, excludeIngress: false },
    targets: [{ key: ifindex, ifindex: target }],
  };
}

/** The program that gives way; undefined when the device is free. @throws ToolError conflict */
function checkFree(there: XdpAttachment, { ifname, mode, replace }: Request): number | undefined {
  const [[thereMode, id] = []] = Object.entries(there) as [XdpMode, number][];
  if (thereMode === undefined || id === undefined) return undefined;
  if (!replace) {
    throw new ToolError('conflict', `${ifname} has program ${id} attached in ${thereMode} mode`, {
      hint: 'add --replace to put this redirect in its place, or take it off first',
    });
  }
  if (thereMode !== mode) {
    throw new ToolError(
      'conflict',
      `${ifname} has program ${id} attached in ${thereMode} mode, which the kernel cannot swap for ${mode} mode in one step`,
      { hint: `take it off first: xdpctl redirect detach ${ifname}` },
    );
  }
  return id;
}

function attached({ ifname, target, mode }: Request, ifindex: number, path: AttachedPath): Outcome {
  const { id, name, tag } = path.program;
  return one({ ifname, ifindex, mode, prog: { id, name, tag }, maps: [path.map], targets: [target] }, [
    ['redirects', `${ifname} -> ${target}`],
    ['mode', mode],
    ['program', `${name} (${id})`],
    ['map', path.map.pinned],
  ]);
}
