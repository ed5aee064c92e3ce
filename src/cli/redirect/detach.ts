import { ToolError } from '../../domain/errors.ts';
import { type Occupant, occupantText, stepTexts } from '../../domain/path-plan.ts';
import type { NamedDevice } from '../../domain/redirect-path.ts';
import { declaredPinsOf } from '../../kernel/declared-pins.ts';
import { readOccupant } from '../../kernel/occupant.ts';
import { dropStale } from '../../kernel/path-undo.ts';
import { attachedPrograms } from '../../kernel/xdp-attachment.ts';
import { one, type Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import { optionValue, type Verb } from '../verb.ts';
import { parseUnsigned, U32_MAX } from '../words/number.ts';
import { WordList } from '../words/word-list.ts';
import { carryOut } from './carry-out.ts';
import { deviceIndex, holdStore } from './store.ts';

export const verb: Verb = {
  object: 'redirect',
  name: 'detach',
  summary: 'take a redirect away that attach made',
  synopsis: ['DEV [--force ID]'],
  description: [
    'Removes only what attach made: the program whose pin is kept for the device and that is still attached, with its maps. Where a file of programs says that maps are to be pinned (LIBBPF_PIN_BY_NAME), those pins stay, and are named. --force ID removes the program with that id, whoever attached it. It says what it removed.',
  ],
  arguments: [{ name: 'DEV', description: 'the interface where frames arrive' }],
  options: [{ name: 'force', value: 'ID', description: 'remove the program with this id, whoever attached it' }],
  changes: 'detaches the program from the device and removes its pins',
  capabilities: 'CAP_BPF, CAP_NET_ADMIN; CAP_SYS_ADMIN with --force for programs of others, or with --netns',
  json: 'an object: ifname, ifindex, mode, removed with prog (id, name), link_id and pins, and kept where pins stay that a file of programs wants',
  examples: [
    {
      command: 'xdpctl redirect detach eth0',
      description: 'what arrives at eth0 goes to the stack again',
      given: 'attached',
      output: `
detached  program 60 (redirect) in native mode from eth0
removed   /sys/fs/bpf/xdpctl/4026532457_2`,
    },
    {
      command: 'xdpctl -j redirect detach eth0',
      description: 'the same, told as JSON',
      given: 'attached',
      output: `
{"ifname":"eth0","ifindex":2,"mode":"native",
 "removed":{"prog":{"id":60,"name":"redirect"},"pins":"/sys/fs/bpf/xdpctl/4026532457_2"}}`,
    },
    {
      command: 'xdpctl -j redirect detach eth0 --dry-run',
      description: 'what would be removed',
      given: 'attached',
      output: `
{"dry_run":true,"would":["detach program 60 (redirect) in native mode from eth0"]}`,
    },
    {
      command: 'xdpctl redirect detach eth0',
      description: 'nothing is attached',
      exit: 3,
      output: `
error: eth0 has no XDP program attached`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    const words = new WordList(input.words);
    const ifname = words.take('the interface');
    words.end();
    const word = optionValue(input, 'force');
    const forced = word === undefined ? undefined : parseUnsigned(word, 'the id', U32_MAX);
    const device = { ifname, ifindex: deviceIndex(ifname) };
    using held = await holdStore(context);
    const old = readOccupant(held.store, device, attachedPrograms(device.ifindex));
    // What is left of a path whose program somebody else has taken off.
    if (old?.own === undefined && !held.dryRun) dropStale(held.store, device.ifindex);
    if (old === undefined) throw new ToolError('not-found', `${ifname} has no XDP program attached`);
    checkOurs(ifname, old, forced);
    const step = { kind: 'detach', device, old } as const;
    const directory = held.store.directory(device.ifindex);
    if (context.options.dryRun) return dryRun(stepTexts(step));
    const kept = old.own === undefined ? [] : declaredPinsOf(directory);
    await carryOut([step], held.store, context, { confirm: undefined });
    return detached(device, old, directory, kept);
  },
};

/** @throws ToolError conflict for a program of others, not-found for another id than the user named */
function checkOurs(ifname: string, old: Occupant, forced: number | undefined): void {
  const { programId, own } = old;
  if (forced === programId || (forced === undefined && own !== undefined)) return;
  if (forced !== undefined) {
    throw new ToolError('not-found', `${ifname} has not program ${forced} attached, but ${occupantText(old)}`);
  }
  throw new ToolError('conflict', `${ifname} has a program attached that xdpctl did not attach: ${occupantText(old)}`, {
    hint: (typed) =>
      `to remove it all the same: ${typed.own(['redirect', 'detach', ifname, '--force', String(programId)])}`,
  });
}

function detached(
  { ifname, ifindex }: NamedDevice,
  old: Occupant,
  directory: string,
  kept: readonly string[],
): Outcome {
  const { mode, programId: id, programName: name, linkId, own } = old;
  return one(
    {
      ifname,
      ifindex,
      mode,
      removed: {
        prog: { id, ...(name !== undefined && { name }) },
        ...(linkId !== undefined && { link_id: linkId }),
        ...(own !== undefined && { pins: directory }),
      },
      ...(kept.length > 0 && { kept }),
    },
    [
      ['detached', `${occupantText(old)} from ${ifname}`],
      ['removed', own === undefined ? undefined : directory],
      ...kept.map((pin) => ['kept', `${pin}, which the file of programs wants`] as const),
    ],
  );
}
