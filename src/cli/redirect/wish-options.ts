import { usageError } from '../../domain/errors.ts';
import type { PathWish } from '../../domain/path-wish.ts';
import { type MissAction, missActions } from '../../domain/redirect-config.ts';
import { flag, type Input, optionValue, optionValues, type OptionSpec } from '../verb.ts';
import { parseCpus } from '../words/cpus.ts';
import { parseUnsigned, U32_MAX } from '../words/number.ts';

/** The options of `redirect attach` that say where frames go. */
export const wishOptions: readonly OptionSpec[] = [
  {
    name: 'to',
    value: 'DEV',
    repeatable: true,
    description: 'an interface where frames leave; several with --broadcast or --key queue',
  },
  { name: 'broadcast', description: 'each frame leaves by all of the interfaces' },
  { name: 'exclude-ingress', description: 'with --broadcast: but not by the one it came by' },
  {
    name: 'egress',
    value: 'PROG',
    description:
      'a program that each frame runs through before it leaves: id:N, name:NAME, a path, builtin:pass (counts) or builtin:drop',
  },
  {
    name: 'dst-mac',
    value: 'MAC',
    description: 'the destination address that frames leave with, so that the receiver takes them for its own',
  },
  { name: 'src-mac', value: 'MAC', description: 'the source address that frames leave with' },
  {
    name: 'cpus',
    value: 'LIST',
    description: 'spread flows over these CPUs, which then run the stack for them: 0-3,6',
  },
  { name: 'qsize', value: 'N', description: "with --cpus: frames that a CPU's queue holds (default 2048)" },
  {
    name: 'prog',
    value: 'PROG',
    description:
      'with --cpus: a program that runs on those CPUs: id:N, name:NAME, a path, builtin:pass or builtin:drop',
  },
  { name: 'xsk', description: 'to AF_XDP sockets, by receive queue; queues without a socket pass to the stack' },
  {
    name: 'map',
    value: 'MAP',
    description: 'through a map that exists, of any of the four types: id:N, name:NAME or a path',
  },
  { name: 'object', value: 'FILE', description: 'with a program of your own, from a file of BPF programs' },
  { name: 'program', value: 'NAME', description: 'with --object: its name, where the file has several' },
  {
    name: 'key',
    value: 'KEY',
    description:
      'what is looked up in the map: ingress (the interface the frame came by; default), queue (its receive queue; the i-th --to serves queue i), or a number',
  },
  {
    name: 'on-miss',
    value: 'ACTION',
    choices: Object.keys(missActions),
    description: 'what happens to a frame whose key has no entry: aborted (default; pass with --xsk), drop, pass or tx',
  },
  { name: 'mode', value: 'MODE', choices: ['native', 'generic'], description: 'native (default) or generic' },
  { name: 'link', description: 'attach by a BPF link, which other tools cannot replace or take off by accident' },
];

/** @throws ToolError usage for a value that is none */
export function parseWish(dev: string, input: Input): PathWish {
  const to = optionValues(input, 'to');
  const [cpus, qsize] = [optionValue(input, 'cpus'), optionValue(input, 'qsize')];
  return {
    dev,
    to: to.length === 0 ? undefined : to,
    broadcast: flag(input, 'broadcast') || undefined,
    exclude_ingress: flag(input, 'exclude-ingress') || undefined,
    egress: optionValue(input, 'egress'),
    dst_mac: optionValue(input, 'dst-mac'),
    src_mac: optionValue(input, 'src-mac'),
    cpus: cpus === undefined ? undefined : parseCpus(cpus, '--cpus'),
    qsize: qsize === undefined ? undefined : parseUnsigned(qsize, 'qsize', U32_MAX),
    prog: optionValue(input, 'prog'),
    xsk: flag(input, 'xsk') || undefined,
    map: optionValue(input, 'map'),
    object: optionValue(input, 'object'),
    program: optionValue(input, 'program'),
    key: parseKey(optionValue(input, 'key')),
    on_miss: oneOf(input, 'on-miss', Object.keys(missActions) as MissAction[]),
    mode: parseMode(input),
    link: flag(input, 'link') || undefined,
  };
}

function parseKey(word: string | undefined): PathWish['key'] {
  if (word === undefined || word === 'ingress' || word === 'queue') return word;
  if (!/^[0-9]/.test(word)) throw usageError(`--key takes ingress, queue or a number, not '${word}'`);
  return parseUnsigned(word, 'the key', U32_MAX);
}

/** What bpftool and ip call the modes. */
const otherWords: Readonly<Record<string, string>> = {
  xdpdrv: 'native',
  driver: 'native',
  drv: 'native',
  xdpgeneric: 'generic',
  skb: 'generic',
};

function parseMode(input: Input): PathWish['mode'] {
  const word = optionValue(input, 'mode') ?? '';
  const meant = Object.hasOwn(otherWords, word) ? otherWords[word] : undefined;
  if (meant !== undefined) throw usageError(`--mode takes native, generic, not '${word}'`, `that is --mode ${meant}`);
  return oneOf(input, 'mode', ['native', 'generic'] as const);
}

function oneOf<Word extends string>(input: Input, name: string, words: readonly Word[]): Word | undefined {
  const value = optionValue(input, name);
  if (value === undefined) return undefined;
  const known = words.find((word) => word === value);
  if (known === undefined) throw usageError(`--${name} takes ${words.join(', ')}, not '${value}'`);
  return known;
}
