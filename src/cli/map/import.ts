import { littleEndian } from '../../domain/byte-order.ts';
import { ToolError } from '../../domain/errors.ts';
import type { BpfMap } from '../../kernel/map.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { Context } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { openInput, readText } from '../input-file.ts';
import { warnAboutTarget } from '../target-warning.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenMap } from './capabilities.ts';
import { parseDocument } from './document/format.ts';
import { ADD, type ImportPlan, KEEP, planImport } from './document/import-plan.ts';
import { ImportRun } from './document/import-run.ts';
import { readEntries } from './document/import-table.ts';
import { Programs } from './document/names.ts';
import { checkTransferable, isDevmap } from './document/transferable.ts';
import { keyName } from './lookup.ts';

export const verb: Verb = {
  object: 'map',
  name: 'import',
  summary: "write the entries of a document that 'map export' made",
  synopsis: ['MAP FILE [replace]', 'MAP - [replace]'],
  description: [
    'The whole document is checked before the first change: that it is of the same kind of map, that every interface and program exists and every program was loaded for such entries, that keys are inside the map and none comes twice, and that there is room for all. An error names the entry by its index (from 0) and its key; nothing was changed then.',
    'Entries that the document does not have stay; with the word replace they are removed. Entries that are as they should be are not written again.',
    'Should the kernel refuse an entry all the same, because an interface has gone meanwhile, what was done before is undone. An import that a signal interrupts stops between two changes and says how far it came; the same import completes it.',
    'In a document, the program of an entry is the path of a pin, or name:NAME, tag:TAG, id:N or builtin:NAME; the key of a devmap or devmap_hash may be the name of an interface.',
  ],
  arguments: [
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
    { name: 'FILE', description: 'the document; - reads standard input' },
    { name: 'replace', description: 'remove what the document does not have' },
  ],
  changes: 'writes and removes entries of the map',
  namesStay: true,
  capabilities: toOpenMap,
  examples: [
    {
      command: 'xdpctl map import pinned forward forward.json --dry-run',
      description: 'what an import would change',
      output: `
would add key 5: {"dev":"eth1"}`,
    },
    {
      command: 'xdpctl -j map import pinned forward forward.json --dry-run',
      description: 'the same as JSON',
      output: `
{"dry_run":true,"would":["add key 5: {\\"dev\\":\\"eth1\\"}"]}`,
    },
    {
      command: 'xdpctl map import pinned forward forward.json replace',
      description: 'makes the map what the document says',
    },
    {
      command: 'xdpctl map export pinned cpus | xdpctl map import pinned cpus - replace',
      description: 'an import of what is there already, which changes nothing',
    },
  ],
  async run({ words: list }, context): Promise<Outcome | undefined> {
    const words = new WordList(list);
    const handle = takeHandle(words, 'map');
    const file = words.take('the file');
    const replace = words.accept('replace');
    words.end();
    const map = context.maps.open(handle);
    checkImportable(map);
    const input = await openInput(file, context);
    const document = parseDocument(await readText(input), input.name);
    using programs = new Programs(map.info.typeName === 'cpumap' ? 'cpumap' : 'devmap');
    const table = await readEntries(document, map, programs, context);
    const plan = await planImport(map, table, replace, programs, context);
    if (context.options.dryRun) return dryRun(steps(plan, document.entries));
    await new ImportRun(plan, programs, document.entries).run(context);
    if (isDevmap(map.info.typeName)) await warnAboutTargets(plan, context);
    return undefined;
  },
};

/** @throws ToolError unsupported; KernelRefusal when the map cannot be changed */
function checkImportable(map: BpfMap): void {
  if (map.info.typeName === 'xskmap') {
    throw new ToolError('unsupported', 'the sockets of an xskmap are entered by the processes that made them', {
      hint: ({ own }) => `an AF_XDP socket is entered by: ${own('map update MAP key N value fd N'.split(' '))}`,
    });
  }
  checkTransferable(map);
  map.checkChangeable('map update');
}

function steps({ map, table, actions, obsolete }: ImportPlan, entries: readonly unknown[]): string[] {
  const list: string[] = [];
  const { keySize } = map.info;
  actions.forEach((action, index) => {
    if (action === KEEP) return;
    const key = keyName(table.keys.subarray(index * keySize, (index + 1) * keySize));
    const value = JSON.stringify((entries[index] as { readonly value: unknown }).value);
    list.push(action === ADD ? `add key ${key}: ${value}` : `replace key ${key}: ${value}`);
  });
  for (const { key } of obsolete) list.push(`remove key ${keyName(key)}`);
  return list;
}

async function warnAboutTargets({ map, table, actions }: ImportPlan, context: Context): Promise<void> {
  const { valueLength } = map;
  const view = new DataView(table.values.buffer);
  let last = 0;
  for (let index = 0; index < table.count; index += 1) {
    const ifindex = view.getUint32(index * valueLength, littleEndian);
    if (actions[index] === KEEP || ifindex === last) continue;
    last = ifindex;
    const warning = warnAboutTarget(context, ifindex);
    if (warning !== undefined) await warning;
  }
}
