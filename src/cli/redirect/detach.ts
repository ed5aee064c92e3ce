import { ToolError } from '../../domain/errors.ts';
import { takeAway } from '../../kernel/redirect-path.ts';
import { queryXdp, type XdpMode } from '../../kernel/xdp-attachment.ts';
import { one, type Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import type { Verb } from '../verb.ts';
import { optionValue } from '../verb.ts';
import { parseUnsigned, U32_MAX } from '../words/number.ts';
import { WordList } from '../words/word-list.ts';
import { deviceIndex, lockStores } from './store.ts';

export const verb: Verb = {
  object: 'redirect',
  name: 'detach',
  summary: 'take a redirect away that attach made',
  synopsis: ['DEV [--force ID]'],
  description: [
    'Removes only what attach made: the program whose pin is kept for the device and that is still attached. --force ID removes the program with that id, whoever attached it. It says what it removed.',
  ],
  arguments: [{ name: 'DEV', description: 'the interface where frames arrive' }],
  options: [{ name: 'force', value: 'ID', description: 'remove the program with this id, whoever attached it' }],
  changes: 'detaches the program from the device and removes its pins',
  capabilities: 'CAP_NET_ADMIN, CAP_SYS_ADMIN',
  json: 'an object: ifname, ifindex, mode, and removed.prog with the id of the program',
  examples: [
    {
      command: 'xdpctl redirect detach eth0',
      description: 'what arrives at eth0 goes to the stack again',
      given: 'attached',
      output: `
detached  program 60 from eth0 (native mode)`,
    },
    {
      command: 'xdpctl -j redirect detach eth0',
      description: 'the same, told as JSON',
      given: 'attached',
      output: `
{"ifname":"eth0","ifindex":2,"mode":"native","removed":{"prog":{"id":60}}}`,
    },
    {
      command: 'xdpctl -j redirect detach eth0 --dry-run',
      description: 'what would be removed',
      given: 'attached',
      output: `
{"dry_run":true,"would":["detach program 60 from eth0 (native mode)"]}`,
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
    const forced = optionValue(input, 'force');
    const forcedId = forced === undefined ? undefined : parseUnsigned(forced, 'the id', U32_MAX);
    const ifindex = deviceIndex(ifname);
    using stores = await lockStores(context);
    const store = stores.of(ifindex);
    const there = Object.entries(queryXdp(ifindex)) as [XdpMode, number][];
    const ours = store.ownAmong(there.map(([, id]) => id));
    const found = there.find(([, id]) => id === (forcedId ?? ours));
    if (found === undefined) throw nothingToDetach(ifname, there, forcedId);
    const [mode, id] = found;
    if (context.options.dryRun) return dryRun([`detach program ${id} from ${ifname} (${mode} mode)`]);
    takeAway(ifindex, mode, id, id === ours ? store : undefined);
    return one({ ifname, ifindex, mode, removed: { prog: { id } } }, [
      ['detached', `program ${id} from ${ifname} (${mode} mode)`],
    ]);
  },
};

function nothingToDetach(
  ifname: string,
  there: readonly (readonly [XdpMode, number])[],
  forcedId: number | undefined,
): ToolError {
  const [other] = there;
  if (other === undefined) {
    return new ToolError('not-found', `${ifname} has no XDP program attached`);
  }
  const [mode, id] = other;
  if (forcedId !== undefined) {
    return new ToolError('not-found', `${ifname} has program ${id} attached (${mode} mode), not ${forcedId}`);
  }
  return new ToolError('conflict', `program ${id} on ${ifname} (${mode} mode) was not attached by xdpctl`, {
    hint: `to remove it all the same: xdpctl redirect detach ${ifname} --force ${id}`,
  });
}
