import type { ColorChoice } from '../output/color.ts';
import type { OptionSpec } from './verb.ts';

/** Options that every verb takes, anywhere on the line (CONTRACT section 1). */
export interface GlobalOptions {
  readonly json: boolean;
  readonly pretty: boolean;
  readonly color: ColorChoice;
  readonly debug: boolean;
  readonly bpffs: boolean;
  readonly nomount: boolean;
  readonly netns: string | undefined;
  readonly dryRun: boolean;
  readonly quiet: boolean;
}

/** What holds where the line has no options. */
export const defaultOptions: GlobalOptions = {
  json: false,
  pretty: false,
  color: 'auto',
  debug: false,
  bpffs: false,
  nomount: false,
  netns: undefined,
  dryRun: false,
  quiet: false,
};

export const globalOptionSpecs: readonly OptionSpec[] = [
  { name: 'json', short: 'j', description: 'print JSON' },
  { name: 'pretty', short: 'p', description: 'print indented JSON (implies --json)' },
  {
    name: 'color',
    value: 'WHEN',
    choices: ['auto', 'always', 'never'],
    description: 'colour: auto, always or never; auto heeds NO_COLOR, FORCE_COLOR and TERM, and wants a terminal',
  },
  { name: 'debug', short: 'd', description: "print libbpf's and the verifier's log on stderr" },
  { name: 'bpffs', short: 'f', description: 'show the pins of maps and programs, and who holds them' },
  { name: 'nomount', short: 'n', description: 'do not mount bpffs when it is not mounted' },
  {
    name: 'netns',
    value: 'NAME|PID|PATH',
    description: "resolve interfaces in this network namespace; pins stay in the caller's bpffs",
  },
  { name: 'dry-run', description: 'say what would be done, change nothing' },
  { name: 'quiet', short: 'q', description: 'no warnings and notes on stderr' },
  { name: 'version', short: 'V', description: 'print the version (of libbpf too: xdpctl version)' },
  { name: 'help', short: 'h', description: 'print help' },
];

/** The options of a line as they were given, by their names. */
export interface GivenOptions {
  readonly global: GlobalOptions;
  readonly own: Readonly<Record<string, string | true | readonly string[]>>;
}

/**
 * The options that the tokens mean when each is a whole option of its own (`-j`, `--dry-run`, `--to=eth1`), as on most
 * lines; undefined when it takes a parser to tell, or to say what is wrong.
 *
 * @param ownSpecs the verb's options, besides those that every verb has
 */
export function plainOptions(tokens: readonly string[], ownSpecs: readonly OptionSpec[]): GivenOptions | undefined {
  const given: Record<string, string | true | string[]> = {};
  for (const token of tokens) {
    const [, long, value] = /^--([^=]+)(?:=(.+))?$/s.exec(token) ?? [];
    const spec = [...ownSpecs, ...globalOptionSpecs].find(
      ({ name, short }) => name === long || (short !== undefined && token === `-${short}`),
    );
    if (spec === undefined || (spec.value === undefined) !== (value === undefined)) return undefined;
    if (spec.name === 'version' || spec.name === 'help' || spec.name === 'color') return undefined;
    const before = given[spec.name];
    if (value === undefined) given[spec.name] = true;
    else if (spec.repeatable === true) given[spec.name] = [...(Array.isArray(before) ? before : []), value];
    else given[spec.name] = value;
  }
  const own = ownSpecs.flatMap(({ name }) => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  const { netns } = given;
  return {
    own: Object.fromEntries(own),
    global: {
      ...defaultOptions,
      json: given['json'] === true || given['pretty'] === true,
      pretty: given['pretty'] === true,
      debug: given['debug'] === true,
      bpffs: given['bpffs'] === true,
      nomount: given['nomount'] === true,
      netns: typeof netns === 'string' ? netns : undefined,
      dryRun: given['dry-run'] === true,
      quiet: given['quiet'] === true,
    },
  };
}
