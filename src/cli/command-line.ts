import { globalOptionSpecs } from './global-options.ts';
import type { OptionSpec } from './verb.ts';

/** The command line with options told from words. */
export interface SplitLine {
  readonly words: readonly string[];
  /** Option tokens, each value joined to its option with `=`, in the form that the option parser takes. */
  readonly optionTokens: readonly string[];
}

/**
 * Tells options from words wherever they stand, because words may look like anything (`key -1`, a file `-`) and
 * options may stand anywhere (`map show -j name dm`). `--` ends options. A dash before a digit is a word: a negative
 * number, for the number parser to refuse by name.
 *
 * @param specs the options that take values must be among these; others count as switches
 */
export function splitCommandLine(argv: readonly string[], specs: readonly OptionSpec[] = globalOptionSpecs): SplitLine {
  const words: string[] = [];
  const optionTokens: string[] = [];
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const byShort = new Map(specs.map((spec) => [spec.short, spec]));
  let index = 0;
  while (index < argv.length) {
    const token = argv[index] ?? '';
    index += 1;
    if (token === '--') {
      words.push(...argv.slice(index));
      break;
    }
    if (!token.startsWith('-') || token === '-' || /^-[0-9]/.test(token)) {
      words.push(token);
      continue;
    }
    const spec = token.startsWith('--') ? byName.get(token.slice(2)) : byShort.get(token.slice(-1));
    const value = argv[index];
    if (spec?.value !== undefined && value !== undefined && value !== '--') {
      // Joined, so that a value like `-1` is not taken for an option.
      optionTokens.push(token.startsWith('--') ? `${token}=${value}` : `${token}${value}`);
      index += 1;
    } else optionTokens.push(token);
  }
  return { words, optionTokens };
}
