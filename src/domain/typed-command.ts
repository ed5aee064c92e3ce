import { shellCommand } from './shell-quote.ts';

/** How a command of ours is to be typed, quoted for the shell. */
export type TypeCommand = (words: readonly string[]) => string;

/** How commands are to be typed where the reader is, so that they run where the command ran that names them. */
export interface Typed {
  /** A command of ours, without its first word: with --netns where that was given. */
  readonly own: TypeCommand;
  /** A command of another tool: led into the network namespace of --netns. */
  readonly other: TypeCommand;
}

/** @param netns the value of --netns: a name below /run/netns, a process id or a path; undefined without it */
export function typedAt(netns: string | undefined): Typed {
  const place = netns === undefined ? [] : ['--netns', netns];
  const way = netns === undefined ? [] : wayInto(netns);
  return {
    own: (words) => shellCommand(['xdpctl', ...place, ...ownWords(words)]),
    other: (words) => shellCommand([...way, ...words]),
  };
}

/** What is said before a command that runs in the namespace the user is in. */
export const typedHere: Typed = typedAt(undefined);

/** Objects whose verbs take a name right after them, and then options; those of bpftool take words only. */
const withOptions: ReadonlySet<string> = new Set(['redirect', 'xsk', 'debug']);

/**
 * The words of a command of ours as they are to be typed: an interface may be called `--help`, which is a name only behind
 * `--`, where no options are.
 */
export function ownWords(words: readonly string[]): readonly string[] {
  const [object = '', verb = '', ...others] = words;
  const [name, ...options] = others;
  if (!withOptions.has(object)) {
    return others.some((word) => word.startsWith('-')) ? [object, verb, '--', ...others] : words;
  }
  return name?.startsWith('-') === true ? [object, verb, ...options, '--', name] : words;
}

function wayInto(netns: string): string[] {
  if (netns.includes('/')) return ['nsenter', `--net=${netns}`];
  return /^[0-9]+$/.test(netns) ? ['nsenter', '-t', netns, '-n'] : ['ip', 'netns', 'exec', netns];
}
