import type { ChalkInstance } from 'chalk';

/** What a piece of text means to the reader; the palette decides how that looks. */
export type Tone = 'ok' | 'warn' | 'bad' | 'dim' | 'strong';

export type ColorChoice = 'auto' | 'always' | 'never';

/**
 * Whether a stream gets colour: `--color` beats NO_COLOR beats FORCE_COLOR beats TERM=dumb beats isatty.
 * An empty NO_COLOR or FORCE_COLOR counts as not set (no-color.org).
 */
export function wantsColor(
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  if (env['TERM'] === 'dumb') return false;
  return isTerminal;
}

export type Painter = (tone: Tone | undefined, text: string) => string;

/** Leaves text as it is. */
export const plain: Painter = (_tone, text) => text;

/** A painter with the palette. chalk is loaded only where there is colour: it costs 4 ms. */
export async function painter(color: boolean): Promise<Painter> {
  if (!color) return plain;
  const { Chalk } = await import('chalk');
  // The level is explicit because chalk's own detection ignores NO_COLOR.
  const chalk = new Chalk({ level: 1 });
  const palette: Record<Tone, ChalkInstance> = {
    ok: chalk.green,
    warn: chalk.yellow,
    bad: chalk.red,
    dim: chalk.dim,
    strong: chalk.bold,
  };
  return (tone, text) => (tone === undefined ? text : palette[tone](text));
}
