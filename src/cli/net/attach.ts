import { ToolError } from '../../domain/errors.ts';
import type { XdpMode } from '../../kernel/interfaces.ts';
import { netAttachments } from '../../kernel/net-attachments.ts';
import type { BpfProgram } from '../../kernel/program.ts';
import { putXdp } from '../../kernel/xdp-attachment.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { Context } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { openProgram } from '../open-program.ts';
import { programText } from '../prog/program-text.ts';
import { toToolError } from '../to-tool-error.ts';
import type { Verb } from '../verb.ts';
import { takeProgramHandle } from '../words/program-handle.ts';
import { WordList } from '../words/word-list.ts';
import { conflictOf } from './conflict.ts';
import { attachTypes, takeDevice, takeMode } from './words.ts';

export const verb: Verb = {
  object: 'net',
  name: 'attach',
  summary: 'attach an XDP program to an interface',
  synopsis: ['TYPE PROG dev IF [overwrite]'],
  description: [
    'xdpdrv is native mode, xdpgeneric generic mode, xdpoffload runs on the card; xdp is native mode where the driver has it and else generic mode, of which it warns.',
    'A program that is there already is not replaced without `overwrite`. One that a link holds is replaced never: detach the link. A program stays when its pins are removed, until it is detached or the interface goes.',
    'To load a program, fill its maps and attach it, all or nothing, use `redirect attach`.',
  ],
  arguments: [
    { name: 'TYPE', description: 'xdp, xdpgeneric, xdpdrv or xdpoffload', choices: attachTypes },
    { name: 'PROG', description: 'id N, tag TAG, name NAME, pinned PATH, builtin NAME, a bare NAME or a /PATH' },
    { name: 'IF', description: 'the name of an interface' },
  ],
  changes: 'attaches a program to an interface',
  capabilities:
    'CAP_NET_ADMIN; CAP_SYS_ADMIN to name a program by its id, name or tag; CAP_BPF too for one that comes with xdpctl',
  examples: [
    { command: 'xdpctl net attach xdpdrv builtin pass dev eth0', description: 'in native mode' },
    {
      command: 'xdpctl net attach xdpdrv pinned egress dev eth0',
      description: 'a program for the entries of devmaps',
      exit: 2,
      output: `
error: the program cannot be attached to eth0: BPF_XDP_DEVMAP programs can not be attached to a device (EINVAL)`,
    },
    {
      command: 'xdpctl net attach xdpgeneric builtin pass dev eth0',
      description: 'beside one in native mode',
      given: 'attached',
      exit: 6,
      output: `
error: the program cannot be attached to eth0: native and generic XDP can't be active at the same time (EEXIST)
hint: take it off first: xdpctl net detach xdpdrv dev eth0`,
    },
    {
      command: 'xdpctl -j net attach xdp builtin pass dev eth0 overwrite --dry-run',
      description: 'what would be done',
      given: 'attached',
      output: `
{"dry_run":true,"would":["attach xdp program 63 (pass) to eth0, in the place of program 60 (redirect) in native mode"]}`,
    },
  ],
  async run({ words: list }, context): Promise<Outcome | undefined> {
    const words = new WordList(list);
    const mode = takeMode(words);
    const handle = takeProgramHandle(words);
    const device = takeDevice(words);
    const overwrite = words.accept('overwrite');
    words.end();
    using program = openProgram(handle, 'xdp', context.maps.rehearsal);
    const request = { ...device, mode, overwrite };
    if (context.options.dryRun) return rehearsed(program, request);
    attach(program, request);
    if (mode === undefined) await warnOfGenericMode(request, context);
    return undefined;
  },
};

interface Request {
  readonly ifindex: number;
  readonly ifname: string;
  readonly mode: XdpMode | undefined;
  readonly overwrite: boolean;
}

function attach(program: BpfProgram, { ifindex, mode, overwrite }: Request): void {
  try {
    putXdp(ifindex, program.fd, mode, overwrite);
  } catch (error) {
    const failure = toToolError(error);
    if (failure.kind !== 'conflict') throw error;
    const conflict = conflictOf(netAttachments(ifindex), mode, overwrite);
    throw failure.reworded(failure.message, conflict === undefined ? {} : { hint: conflict.hint });
  }
}

function rehearsed({ info }: BpfProgram, { ifindex, ifname, mode, overwrite }: Request): Outcome {
  const attached = netAttachments(ifindex);
  const conflict = conflictOf(attached, mode, overwrite);
  if (conflict !== undefined) {
    throw new ToolError('conflict', conflict.message, { hint: conflict.hint, operation: 'xdp attach' });
  }
  const [rival] = attached.filter((each) => mode === undefined || each.mode === mode);
  const place =
    rival === undefined
      ? ''
      : `, in the place of program ${rival.progId}${rival.prog?.name ? ` (${rival.prog.name})` : ''} in ${rival.mode} mode`;
  return dryRun([`attach ${programText(info)} to ${ifname}${mode === undefined ? '' : ` in ${mode} mode`}${place}`]);
}

async function warnOfGenericMode({ ifindex, ifname }: Request, context: Context): Promise<void> {
  if (!netAttachments(ifindex).some(({ mode }) => mode === 'generic')) return;
  await context.warn({
    message: `${ifname} runs the program in generic mode, because its driver has no native mode: that is slower`,
    hint: 'say xdpgeneric when that is what you want, or xdpdrv to be refused',
  });
}
