/** Characters that no shell gives a meaning inside a word. */
const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * Control characters, which must not reach a terminal as they are; an interface may be called `\u001b[2J`. Tab and line
 * feed are harmless, and a program of several lines is easier to read with them.
 */
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** What `$'…'` must not contain as it is. */
const special = /['\\\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * One word as a person can paste it into a shell, whatever it contains: interfaces may be called `$(id)` or `a;b`.
 * POSIX quoting, but for words with control characters, which need `$'…'` (bash, zsh, ksh, ash).
 */
export function shellQuote(word: string): string {
  if (plainWord.test(word)) return word;
  if (!control.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = word.replaceAll(special, (character) =>
    control.test(character) ? octal(character) : `\\${character}`,
  );
  return `$'${escaped}'`;
}

/** A command line to type, e.g. `ip link set dev 'a;b' up`. */
export function shellCommand(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}

/** Commands whose output goes into the next one: `a | b`. */
export function shellPipeline(commands: readonly (readonly string[])[]): string {
  return commands.map(shellCommand).join(' | ');
}

/** Bytes as three-digit octal escapes, which never swallow a digit that follows. */
function octal(character: string): string {
  return [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
