import { basename } from 'node:path';

import { ToolError, usageError } from '../../domain/errors.ts';
import { BPF_F_NUMA_NODE, BPF_F_RDONLY_PROG, mapFlagText } from '../../domain/map-flags.ts';
import type { MapInfo } from '../../domain/map-info.ts';
import { checkMapRequest, DEFAULT_KEY_SIZE, defaultValueSize, type MapRequest } from '../../domain/map-spec.ts';
import { aMapOf, isMapInMap, type MapTypeName, mapTypeNames, mapTypeNumber } from '../../domain/map-type.ts';
import { kernelMaxCpu, onlineNodes } from '../../kernel/cpu.ts';
import { BpfMap } from '../../kernel/map.ts';
import { openPin, pinObject } from '../../kernel/pin.ts';
import { BpfProgram } from '../../kernel/program.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { Context } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { prepareNewPin } from '../new-pin.ts';
import { flag, type Verb } from '../verb.ts';
import { parseMapFlags } from '../words/flags.ts';
import { type Handle, takeHandle } from '../words/handle.ts';
import { parseUnsigned, U32_MAX } from '../words/number.ts';
import { pinPath } from '../words/pin-path.ts';
import { WordList } from '../words/word-list.ts';

interface Request extends MapRequest {
  readonly numaNode: number | undefined;
  readonly innerMap: Handle | undefined;
}

export const verb: Verb = {
  object: 'map',
  name: 'create',
  summary: 'create a map and pin it',
  synopsis: [
    'PIN type TYPE [key BYTES] [value BYTES] entries N [name NAME] [flags FLAGS] [numa_node N] [inner_map MAP] [--if-absent]',
  ],
  description: [
    'The key defaults to 4 bytes; the value to 4 for an xskmap and 8 for a devmap, devmap_hash or cpumap, which is what an entry with a program takes; the name to the last part of the pin.',
    'What the kernel would refuse with a bare EINVAL is refused before the call: the key of a redirect map is 4 bytes, its value 4 or 8 (xskmap 4); a cpumap has at most as many entries as the kernel has CPUs, a devmap_hash at most 2^31; names have up to 15 letters, digits, _ and dots; a pin below bpffs has no dot in its path.',
    'bpffs is mounted on /sys/fs/bpf when it is not, unless --nomount is given.',
  ],
  arguments: [
    { name: 'PIN', description: 'a path in bpffs, or a name directly under its mount' },
    { name: 'TYPE', description: mapTypeNames.join(', '), choices: mapTypeNames },
    {
      name: 'FLAGS',
      description: 'a number, or names joined by commas: rdonly, wronly, numa_node, no_prealloc, …',
    },
    { name: 'inner_map MAP', description: 'for maps of maps: the map that inner maps must resemble' },
  ],
  options: [
    {
      name: 'if-absent',
      description: 'succeed when the pin is a map of the same specification; exit 6 when it differs',
    },
  ],
  changes: 'creates a map and its pin',
  capabilities: 'CAP_BPF; for devmap, devmap_hash and xskmap CAP_NET_ADMIN too; CAP_SYS_ADMIN to mount bpffs',
  examples: [
    {
      command: 'xdpctl map create uplinks type devmap entries 64',
      description: 'a devmap with room for egress programs, pinned as /sys/fs/bpf/uplinks',
    },
    {
      command: 'xdpctl map create forward type devmap entries 64 --if-absent',
      description: 'no error although it is there: it has this specification',
    },
    {
      command: 'xdpctl -j map create uplinks type devmap entries 64 --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,
 "would":["create a devmap named uplinks: keys of 4 bytes, values of 8, 64 entries",
          "pin it at /sys/fs/bpf/uplinks"]}`,
    },
    {
      command: 'xdpctl map create cores type cpumap entries 1000000',
      description: 'a rule of the kernel, said before it is asked',
      exit: 2,
      output: `
error: a cpumap has at most 256 entries on this kernel (its largest CPU number + 1), not 1000000`,
    },
  ],
  run(input, context): Outcome | undefined {
    const words = new WordList(input.words);
    const path = pinPath(words.take('the pin'));
    const request = parseRequest(words, path);
    checkMapRequest(request, kernelMaxCpu);
    if (flag(input, 'if-absent') && isThere(path, request, context)) return undefined;
    prepareNewPin(path, context);
    if (context.options.dryRun) {
      // Later lines of a batch name the map, so they get one; it goes when the command ends.
      context.maps.rehearsal?.pin(path, created(request, context), 'scratch');
      return dryRun([`create ${specText(request)}`, `pin it at ${path}`]);
    }
    using map = created(request, context);
    pinObject(map.fd, path);
    context.maps.forget();
    return undefined;
  },
};

function parseRequest(words: WordList, path: string): Request {
  const given = new Map<string, string>();
  let innerMap: Handle | undefined;
  while (!words.done) {
    const keyword = words.take('a keyword');
    if (keyword === 'dev' || keyword === 'offload_dev') {
      throw usageError(
        `'${keyword}' makes maps for a card that runs programs itself, and such a card redirects nothing`,
        'leave it out; maps for a card are made by bpftool map create',
      );
    }
    if (!KEYWORDS.includes(keyword)) {
      throw usageError(`unexpected word '${keyword}'`, `keywords are ${KEYWORDS.join(', ')}`);
    }
    if (given.has(keyword)) throw usageError(`'${keyword}' is given twice`);
    if (keyword === 'inner_map') innerMap = takeHandle(words, 'inner map');
    given.set(keyword, keyword === 'inner_map' ? '' : words.take(`what follows '${keyword}'`));
  }
  const type = mapType(given.get('type'));
  const number = (keyword: string): number | undefined => {
    const word = given.get(keyword);
    return word === undefined ? undefined : parseUnsigned(word, keyword, U32_MAX);
  };
  const maxEntries = number('entries');
  if (maxEntries === undefined) throw usageError("the number of entries is missing: 'entries N'");
  if (isMapInMap(type) !== (innerMap !== undefined)) {
    throw usageError(isMapInMap(type) ? `${aMapOf(type)} needs 'inner_map MAP'` : `${aMapOf(type)} takes no inner_map`);
  }
  const numaNode = number('numa_node');
  const flags = parseMapFlags(given.get('flags') ?? '0');
  if (flags & BPF_F_NUMA_NODE && numaNode === undefined) {
    throw usageError("the flag numa_node needs the node: 'numa_node N'");
  }
  if (numaNode !== undefined) checkNode(numaNode);
  const name = given.get('name') ?? defaultName(path);
  return {
    type,
    name,
    keySize: number('key') ?? DEFAULT_KEY_SIZE,
    valueSize: number('value') ?? defaultValueSize(type),
    maxEntries,
    // devmaps get rdonly_prog from the kernel, which refuses it from us (dev_map_alloc_check): `map show` may be replayed.
    flags: withoutKernelFlags(type, flags) | (numaNode === undefined ? 0 : BPF_F_NUMA_NODE),
    numaNode,
    innerMap,
  };
}

/** Without NUMA the kernel has node 0 (bpf_map_attr_numa_node and map_create, kernel/bpf/syscall.c). */
function checkNode(node: number): void {
  const nodes = onlineNodes() ?? [0];
  if (nodes.includes(node)) return;
  throw usageError(`numa_node ${node} is not online on this machine`, `nodes are ${nodes.join(', ')}`);
}

const KEYWORDS = ['type', 'key', 'value', 'entries', 'name', 'flags', 'numa_node', 'inner_map'];

function mapType(word: string | undefined): MapTypeName {
  if (word === undefined) throw usageError("the map's type is missing: 'type TYPE'");
  if (mapTypeNumber(word) === undefined) {
    throw usageError(`'${word}' is no map type`, `types are ${mapTypeNames.join(', ')}`);
  }
  return word as MapTypeName;
}

function defaultName(path: string): string {
  const name = basename(path);
  if (/^[A-Za-z0-9_.]{1,15}$/.test(name)) return name;
  throw usageError(
    `the pin's last part '${name}' is no map name: 1 to 15 letters, digits, '_' or '.'`,
    "give the map a name: 'name NAME'",
  );
}

function created(request: Request, context: Context): BpfMap {
  const innerMapFd = request.innerMap && context.maps.open(request.innerMap).fd;
  return BpfMap.create({
    type: mapTypeNumber(request.type) ?? 0,
    name: request.name,
    keySize: request.keySize,
    valueSize: request.valueSize,
    maxEntries: request.maxEntries,
    flags: request.flags,
    ...(request.numaNode !== undefined && { numaNode: request.numaNode }),
    ...(innerMapFd !== undefined && { innerMapFd }),
  });
}

/** Whether the pin is a map of this specification already. @throws ToolError conflict when it is another */
function isThere(path: string, request: Request, context: Context): boolean {
  const info = pinnedInfo(path, context);
  if (info === undefined) return false;
  const differences = [
    ['type', info.typeName ?? info.type, request.type],
    ['key', info.keySize, request.keySize],
    ['value', info.valueSize, request.valueSize],
    ['entries', info.maxEntries, request.maxEntries],
    ['name', info.name, request.name],
    ['flags', mapFlagText(withoutKernelFlags(request.type, info.flags)), mapFlagText(request.flags)],
  ].filter(([, there, wanted]) => there !== wanted);
  if (differences.length === 0) return true;
  throw new ToolError(
    'conflict',
    `${path} exists already with another specification: ${differences
      .map(([what, there, wanted]) => `${what} ${there || 'none'} instead of ${wanted || 'none'}`)
      .join(', ')}`,
    {
      hint: ({ own }) => `take it away first: ${own(['map', 'unpin', path])}`,
      errno: 17,
      operation: 'map create',
    },
  );
}

function noMap(path: string, kind: string): ToolError {
  return new ToolError('conflict', `${path} exists already and is a pinned ${kind}, not a map`);
}

/** The map that is pinned there. @throws ToolError conflict when something else is */
function pinnedInfo(path: string, { maps }: Context): MapInfo | undefined {
  const planned = maps.rehearsal?.pinned(path);
  if (planned instanceof BpfProgram) throw noMap(path, 'prog');
  if (planned !== undefined) return planned?.info;
  let pinned;
  try {
    pinned = openPin(path);
  } catch {
    return undefined;
  }
  const { kind, fd } = pinned;
  if (kind !== 'map') {
    fd[Symbol.dispose]();
    throw noMap(path, kind);
  }
  using map = new BpfMap(fd);
  return map.info;
}

/** Flags without those that the kernel adds itself (dev_map_init_map sets BPF_F_RDONLY_PROG). */
function withoutKernelFlags(type: MapTypeName, flags: number): number {
  return type === 'devmap' || type === 'devmap_hash' ? flags & ~BPF_F_RDONLY_PROG : flags;
}

function specText(request: Request): string {
  const { type, name, keySize, valueSize, maxEntries, flags } = request;
  return `${aMapOf(type)} named ${name}: keys of ${keySize} bytes, values of ${valueSize}, ${maxEntries} entries${flags === 0 ? '' : `, flags ${mapFlagText(flags)}`}`;
}
