/** Lines of a manual page, in the man(7) macros that groff and mandoc both know. */
export type Roff = readonly string[];

const WIDTH = 80;

/**
 * Text to be filled. What stands in backquotes is bold and literal, and so are long options and the names of manual
 * pages.
 */
export function prose(text: string): Roff {
  const marked = text
    .split(/(`[^`]*`|(?<![\w-])--[a-z][a-z-]*|[a-z][a-z0-9-]*\([1-8]\))/)
    .map((part, index) => (index % 2 === 1 ? marking(part) : plain(part)))
    .join('');
  return wrapped(marked);
}

function marking(part: string): string {
  const [, page, number] = /^(.*)(\([1-8]\))$/.exec(part) ?? [];
  return page === undefined ? bold(part.replaceAll('`', '')) : `${bold(page)}${number}`;
}

/** A paragraph. */
export function paragraph(text: string): Roff {
  return ['.PP', ...prose(text)];
}

/** A term with its description, indented. */
export function item(term: string, text: string): Roff {
  return ['.TP', term, ...prose(text)];
}

/** Lines as they stand, in the font of what is typed and printed. */
export function display(lines: readonly string[]): Roff {
  return ['.PP', '.in +4n', '.EX', ...lines.map((line) => guarded(literal(line))), '.EE', '.in'];
}

export function section(title: string): string {
  return `.SH ${quoted(title.toUpperCase())}`;
}

export function subsection(title: string): string {
  return `.SS ${quoted(literal(title))}`;
}

export function bold(text: string): string {
  return `\\fB${literal(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${literal(text)}\\fR`;
}

/** A form of a command: words in capitals stand for the reader's own, the others are typed as they are. */
export function form(text: string): string {
  return text
    .split(/([A-Z][A-Z_0-9]*(?![a-z])|[a-z0-9_-]+)/)
    .map((part, index) => (index % 2 === 0 ? literal(part) : /^[A-Z]/.test(part) ? italic(part) : bold(part)))
    .join('')
    .replaceAll('\\fR\\fB', '');
}

/** A macro's argument, in quotation marks. */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', '\\(dq')}"`;
}

/** Text in which every character comes out as it is, so that it can be pasted into a shell. */
export function literal(text: string): string {
  return plain(text)
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti');
}

/** Text in which roff finds nothing to interpret. */
function plain(text: string): string {
  return (
    text
      .replaceAll('\\', '\\(rs')
      .replaceAll('…', '...')
      .replaceAll('–', '\\(en')
      // A bare dash is a hyphen, where lines may break and which cannot be pasted.
      .replaceAll('-', '\\-')
      .replace(/[^\u0000-\u007f]/gu, (character) => `\\[u${hexCode(character)}]`)
      .replace(/\b(e\.g|i\.e|etc)\./g, '$&\\&')
  );
}

function hexCode(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + word.length >= WIDTH) {
      lines.push(guarded(line));
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(guarded(line));
  return lines;
}

/** A line that begins like a request must not be one. */
function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
