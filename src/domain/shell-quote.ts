import { bytesOfText } from './byte-text.ts';
import { replaceHidden } from './hidden-characters.ts';

/** Characters that no shell gives a meaning inside a word; at its beginning, zsh gives one to `=`, and fish to `%`. */
const plainWord = /^(?![=%])[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * One word as a person can paste it into a shell, whatever it contains: interfaces may be called `$(id)` or `a;b`.
 *
 * Quoted as POSIX says, so that sh, bash, zsh, ksh and ash agree, and so that fish does. What a terminal does not simply
 * show is written by printf, because `$'…'` is nothing that dash and fish know. Only a line feed at the end of a word needs
 * that all the same: what `$(…)` gives loses it.
 */
export function shellQuote(word: string): string {
  if (plainWord.test(word)) return word;
  return quoted(word, () => true);
}

/** A command line to type, e.g. `ip link set dev 'a;b' up`. */
export function shellCommand(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}

/** Commands whose output goes into the next one: `a | b`. */
export function shellPipeline(commands: readonly (readonly string[])[]): string {
  return commands.map(shellCommand).join(' | ');
}

/** A command line that may go over several lines: a program in it is easier to read so. */
export function shellScript(argv: readonly string[]): string {
  return argv.map((word) => (plainWord.test(word) ? word : quoted(word, breaksLayout))).join(' ');
}

function breaksLayout(character: string): boolean {
  return character !== '\n' && character !== '\t';
}

/** @param isHidden which of the characters that a terminal does not simply show are not to be there */
function quoted(word: string, isHidden: (character: string) => boolean): string {
  const runs = runsOf(word, isHidden);
  const last = runs.at(-1);
  if (last?.hidden === true && last.text.endsWith('\n')) return dollarQuoted(word, isHidden);
  const printed = runs.some(({ hidden }) => hidden);
  const text = runs
    .map((run) => (run.hidden ? `"$(printf '${octal(run.text)}')"` : singleQuoted(run.text, printed)))
    .join('');
  return text === '' ? "''" : text;
}

interface Run {
  text: string;
  readonly hidden: boolean;
}

/** The word in runs of characters that are shown and of such that are not; no run of these ends with a line feed, but the last. */
function runsOf(word: string, isHidden: (character: string) => boolean): Run[] {
  const marked = new Set<string>();
  replaceHidden(word, (character) => {
    if (isHidden(character)) marked.add(character);
    return character;
  });
  const runs: Run[] = [];
  for (const character of Array.from(word)) {
    const last = runs.at(-1);
    // What follows a line feed is printed with it, which keeps it.
    const hidden = marked.has(character) || (last?.hidden === true && last.text.endsWith('\n'));
    if (last?.hidden === hidden) last.text += character;
    else runs.push({ text: character, hidden });
  }
  return runs;
}

/**
 * Between single quotes, fish takes a backslash before a quote or another one for more than itself: that stands outside.
 *
 * @param printed whether another part of the word is printed: fish 3.6 then looks for variables even between single quotes
 */
function singleQuoted(text: string, printed: boolean): string {
  const outside = printed ? /['$]|\\(?=['\\$]|$)/g : /'|\\(?=['\\]|$)/g;
  return `'${text.replaceAll(outside, "'\\$&'")}'`;
}

/** `$'…'` of bash, zsh, ksh and ash. */
function dollarQuoted(word: string, isHidden: (character: string) => boolean): string {
  const escaped = Array.from(word, (character) => {
    if (character === "'" || character === '\\') return `\\${character}`;
    return replaceHidden(character, (each) => (isHidden(each) ? octal(each) : each));
  });
  return `$'${escaped.join('')}'`;
}

/** Bytes as three-digit octal escapes, which never swallow a digit that follows. */
function octal(text: string): string {
  return Array.from(bytesOfText(text), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
