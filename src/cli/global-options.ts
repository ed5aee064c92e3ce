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

/**
 * The options that the tokens mean when each is a switch of its own (`-j`, `--dry-run`), as on most lines; undefined when
 * it takes a parser to tell.
 */
export function plainSwitches(tokens: readonly string[]): GlobalOptions | undefined {
  const given = new Set<string>();
  for (const token of tokens) {
    const spec = globalOptionSpecs.find(({ name, short }) => token === `--${name}` || token === `-${short ?? '-'}`);
    if (spec === undefined || spec.value !== undefined || spec.name === 'version' || spec.name === 'help') {
      return undefined;
    }
    given.add(spec.name);
  }
  return {
    ...defaultOptions,
    json: given.has('json') || given.has('pretty'),
    pretty: given.has('pretty'),
    debug: given.has('debug'),
    bpffs: given.has('bpffs'),
    nomount: given.has('nomount'),
    dryRun: given.has('dry-run'),
    quiet: given.has('quiet'),
  };
}
