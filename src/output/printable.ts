import { escapedCharacter, replaceHidden } from '../domain/hidden-characters.ts';

/**
 * Text that came from outside (names of interfaces, programs, files) made safe to show on a terminal: characters that
 * could move the cursor, change colours, or turn text around appear as escapes.
 */
export function printable(text: string): string {
  return replaceHidden(text, escapedCharacter);
}

/** The same of a text that has several lines, in which tabs are harmless. */
export function printableLines(text: string): string {
  return replaceHidden(text, (character) =>
    character === '\n' || character === '\t' ? character : escapedCharacter(character),
  );
}
