import { setProgram } from '../../domain/devmap.ts';
import { ToolError, usageError } from '../../domain/errors.ts';
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST, type BpfMap } from '../../kernel/map.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { Context } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { openProgram } from '../open-program.ts';
import { warnAboutEntry } from '../target-warning.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { takeKey } from '../words/key.ts';
import type { ProgramHandle } from '../words/program-handle.ts';
import { takeValue } from '../words/value.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenMap } from './capabilities.ts';
import { checkEntry, refusedEntry, type WrittenEntry } from './entry-refusal.ts';
import { keyName } from './lookup.ts';
import { mapText } from './map-text.ts';

type Condition = 'any' | 'exist' | 'noexist';

export const verb: Verb = {
  object: 'map',
  name: 'update',
  summary: 'write an entry of a map',
  synopsis: ['MAP key KEY value VALUE [any|exist|noexist]'],
  description: [
    'KEY is as many byte words as the key has bytes (after hex, hexadecimal ones), or one typed word: an integer or, for devmaps, an interface.',
    'VALUE is as many byte words as the value has bytes, or typed. devmap, devmap_hash: [dev] IFNAME|IFINDEX [prog PROG]. cpumap: [qsize] N [prog PROG]. xskmap: fd N, an AF_XDP socket that was handed down. Other types: an integer. Digits are always a number; dev NAME forces a name.',
    'any writes the entry whether or not it is there; exist only replaces one (exit 3 where there is none), noexist only makes one (exit 6 where there is one). A devmap and a cpumap, and exist on a devmap_hash, are checked by a look at the entry first, because the kernel does not do it: that check is not atomic. On an xskmap the kernel takes noexist for the socket that is already there.',
    'A device that cannot receive redirected frames now (it cannot transmit them, is down, has no carrier, or a veth peer with a smaller MTU) is written all the same, with a warning and the command that mends it.',
  ],
  arguments: [
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
    { name: 'PROG', description: 'id N, tag TAG, name NAME, pinned PATH, builtin NAME, a bare NAME or a /PATH' },
  ],
  changes: 'writes an entry of the map',
  namesStay: true,
  capabilities: `${toOpenMap}; so too for a program`,
  examples: [
    {
      command: 'xdpctl map update pinned forward key 0 value dev eth1',
      description: 'frames that are redirected to key 0 leave through eth1',
    },
    {
      command: 'xdpctl map update pinned forward key 1 value dev eth1 prog pinned egress',
      description: 'those of key 1 too, after the program has seen them',
    },
    {
      command: 'xdpctl map update pinned forward key 0 0 0 0 value dev eth1 noexist',
      description: 'only where nothing is yet',
      exit: 6,
      output: `
error: key 0 of the devmap has an entry already (EEXIST)
hint: without noexist the entry is replaced`,
    },
    {
      command: 'xdpctl map update pinned cpus key 1 value qsize 2048',
      description: 'CPU 1 takes frames, up to 2048 of them in its queue',
    },
    {
      command: 'xdpctl -j map update pinned forward key 7 value dev eth1 --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,"would":["write key 7 of devmap 42 (any)"]}`,
    },
  ],
  run({ words: list }, context): Written {
    const words = new WordList(list);
    const map = context.maps.open(takeHandle(words, 'map'));
    const entry = takeEntry(words, map);
    const { handle } = entry;
    if (handle === undefined) return write(map, entry, context);
    try {
      return writeWithProgram(map, entry, handle, context);
    } catch (error) {
      // Of a program that comes with the tool there are two kinds; the map's first program has decided which it takes.
      if (handle.by !== 'builtin' || !(error instanceof ToolError) || error.kind !== 'usage') throw error;
      return writeWithProgram(map, entry, { ...handle, plain: true }, context);
    }
  },
};

/** Nothing, or the steps of a dry run; a promise where there is something to warn about. */
type Written = Outcome | undefined | Promise<undefined>;

interface TypedEntry extends WrittenEntry {
  readonly condition: Condition;
  /** How the user named the program of the value. */
  readonly handle: ProgramHandle | undefined;
}

/** Takes `key KEY value VALUE [any|exist|noexist]`; like bpftool, in either order of key and value. */
function takeEntry(words: WordList, { info, scratch }: BpfMap): TypedEntry {
  if (words.accept('value')) {
    const { bytes, program } = takeValue(words, info, scratch.value);
    words.expect('key');
    const key = takeKey(words, info, scratch.key);
    return { key, value: bytes, handle: program, condition: takeCondition(words) };
  }
  words.expect('key');
  const key = takeKey(words, info, scratch.key);
  words.expect('value');
  const { bytes, program } = takeValue(words, info, scratch.value);
  return { key, value: bytes, handle: program, condition: takeCondition(words) };
}

function writeWithProgram(map: BpfMap, entry: TypedEntry, handle: ProgramHandle, context: Context): Written {
  const section = `xdp/${map.info.typeName === 'cpumap' ? 'cpumap' : 'devmap'}`;
  using program = openProgram(handle, section, context.maps.rehearsal);
  setProgram(entry.value, program.fd);
  return write(map, { ...entry, program }, context);
}

function write(map: BpfMap, entry: TypedEntry, context: Context): Written {
  const { key, value, condition } = entry;
  const flags = condition === 'any' ? BPF_ANY : updateFlags(map, key, condition);
  if (context.options.dryRun) return rehearse(map, entry);
  try {
    map.update(key, value, flags);
  } catch (error) {
    throw refusedEntry(error, map, entry);
  }
  const { typeName } = map.info;
  return typeName === 'devmap' || typeName === 'devmap_hash' ? warnAboutEntry(context, value) : undefined;
}

/** What a dry run can tell of an entry: whether the map, the target and the program are what they must be. */
function rehearse(map: BpfMap, entry: TypedEntry): Outcome {
  map.checkChangeable('map update');
  checkEntry(map, entry);
  return dryRun([`write key ${keyName(entry.key)} of ${mapText(map.info)} (${entry.condition})`]);
}

function takeCondition(words: WordList): Condition {
  const word = words.peek();
  if (word === undefined) return 'any';
  if (word !== 'any' && word !== 'exist' && word !== 'noexist') {
    throw usageError(`unexpected word '${word}'`, 'after the value come any, exist or noexist, or nothing');
  }
  words.take('');
  words.end();
  return word;
}

/**
 * The flags for the kernel. Where it does not do what the documents say of the condition, the entry is looked up first.
 *
 * @throws ToolError not-found or conflict
 */
function updateFlags(map: BpfMap, key: Uint8Array, condition: Condition): number {
  if (condition === 'any') return BPF_ANY;
  const { typeName } = map.info;
  // dev_map_update_elem and cpu_map_update_elem refuse BPF_NOEXIST always and take BPF_EXIST always.
  const unkept =
    typeName === 'devmap' || typeName === 'cpumap' || (typeName === 'devmap_hash' && condition === 'exist');
  if (!unkept) return condition === 'exist' ? BPF_EXIST : BPF_NOEXIST;
  const present = map.lookup(key, new Uint8Array(map.valueLength));
  if (present === (condition === 'exist')) return BPF_ANY;
  throw present
    ? new ToolError('conflict', `key ${keyName(key)} of the ${typeName} has an entry already`, {
        hint: 'without noexist the entry is replaced',
        operation: 'map update',
        errno: 17,
      })
    : new ToolError('not-found', `key ${keyName(key)} of the ${typeName} has no entry`, {
        hint: 'without exist the entry is made',
        operation: 'map update',
        errno: 2,
      });
}
