import { usageError } from '../../domain/errors.ts';

const TAB = 9;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const BLANK = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const SINGLE_QUOTE = 39;
const DASH = 45;
const BACKSLASH = 92;

/**
 * Splits the text of a batch into commands as bpftool does: words between blanks, `#` begins a comment, a `\` at the end
 * of a line joins the next one to it, a word that begins with a single or double quote goes to the next such quote.
 * In other than the first place of a word a quote is an ordinary character. Unlike bpftool's, `#` within quotes is no
 * comment, and lines may be long.
 *
 * The text comes in pieces; a command that is not complete yet is read again when more has come.
 */
export class CommandReader {
  /** The words of the command that `next` has read. */
  words: string[] = [];
  /** The line on which that command begins, from 1. */
  line = 0;
  /** Whether one of the words begins with a dash: it may be an option. */
  dashed = false;
  #text = '';
  #at = 0;
  /** What came after #text and cannot complete the command that has begun there. */
  #later: string[] = [];
  #laterLength = 0;
  /** The line of position #at. */
  #nextLine = 1;
  #ended = false;

  /** More text. @throws ToolError usage when a command is too long for memory */
  feed(text: string): void {
    const begun = this.#text.length - this.#at;
    if (begun + this.#laterLength + text.length > LONGEST) {
      throw usageError(`the command that begins on line ${this.line} is longer than ${LONGEST >> 20} MiB`);
    }
    // Reading a long command again with each piece of it would take the square of its length.
    if (begun > 0 && goesOn(text)) {
      this.#later.push(text);
      this.#laterLength += text.length;
    } else this.#take(text);
  }

  /** No more text will come: what is left is a command too. */
  end(): void {
    this.#ended = true;
    this.#take('');
  }

  #take(text: string): void {
    this.#text = [this.#text.slice(this.#at), ...this.#later, text].join('');
    this.#at = 0;
    this.#later = [];
    this.#laterLength = 0;
  }

  /**
   * Reads the next command; false when there is none in what was fed so far.
   *
   * @throws ToolError usage for a quote without its end, or a last line that a backslash joins to nothing; `line` is set
   *   then, and the next call goes on behind that line
   */
  next(): boolean {
    if (this.#laterLength > 0) return false;
    const text = this.#text;
    const { length } = text;
    const words: string[] = [];
    let at = this.#at;
    let line = this.#nextLine;
    this.dashed = false;
    this.line = line;
    while (at < length) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE) {
        at += 1;
        line += 1;
        if (words.length > 0) return this.#found(words, at, line);
        this.#at = at;
        this.#nextLine = line;
        this.line = line;
      } else if (code <= BLANK && isBlank(code)) at += 1;
      else if (code === HASH) {
        const end = text.indexOf('\n', at);
        at = end === -1 ? length : end;
      } else if (code === BACKSLASH && joinedAt(text, at) > 0) {
        at = joinedAt(text, at);
        line += 1;
        if (at === length) this.#mustGoOn();
      } else if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) {
        const end = this.#quoteEnd(at);
        if (end < 0) return false;
        if (text.charCodeAt(at + 1) === DASH) this.dashed = true;
        const quoted = text.slice(at + 1, end);
        words.push(unjoined(quoted));
        line += joints(quoted);
        at = end + 1;
      } else {
        if (code === DASH) this.dashed = true;
        const from = at;
        at = plainEnd(text, at);
        if (text.charCodeAt(at) === BACKSLASH) {
          at = wordEnd(text, at);
          const word = text.slice(from, at);
          words.push(unjoined(word));
          line += joints(word);
          if (at === length && word.endsWith('\n')) this.#mustGoOn();
        } else words.push(text.slice(from, at));
      }
    }
    if (!this.#ended) return false;
    return words.length > 0 && this.#found(words, at, line);
  }

  #found(words: string[], at: number, line: number): boolean {
    this.words = words;
    this.#at = at;
    this.#nextLine = line;
    return true;
  }

  /** Where the quote that begins at `at` ends; -1 when that may still come. */
  #quoteEnd(at: number): number {
    const text = this.#text;
    const end = text.indexOf(text.charAt(at), at + 1);
    const newline = lineEnd(text, at);
    if (end !== -1 && (newline === -1 || end < newline)) return end;
    if (newline === -1 && !this.#ended) return -1;
    const behind = newline === -1 ? text.length : newline + 1;
    this.#nextLine = this.line + joints(text.slice(this.#at, behind));
    this.#at = behind;
    throw usageError(`a quote has no end: ${text.slice(at, newline === -1 ? undefined : newline)}`);
  }

  /** A backslash has joined the line to what has not come. */
  #mustGoOn(): void {
    if (!this.#ended) return;
    this.#at = this.#text.length;
    throw usageError('the last line ends with a backslash, and no line follows');
  }
}

/** Characters of a command with its joints. Nobody types as many, and text without an end must not take all memory. */
const LONGEST = 1 << 26;

/** Whether a command that has begun cannot end in this text: all its lines are joined, and no comment hides a joint. */
function goesOn(text: string): boolean {
  return !text.includes('#') && lineEnd(text, 0) === -1;
}

/** The first position that does not belong to the word, or a backslash before it. */
function plainEnd(text: string, from: number): number {
  const { length } = text;
  let at = from;
  while (at < length) {
    const code = text.charCodeAt(at);
    if (code === BLANK || code === NEWLINE || code === BACKSLASH) return at;
    if (code === TAB || code === CARRIAGE_RETURN || code === HASH) return at;
    at += 1;
  }
  return at;
}

/** The first position that does not belong to the word. */
function wordEnd(text: string, from: number): number {
  const { length } = text;
  let at = from;
  while (at < length) {
    const code = text.charCodeAt(at);
    if (code <= HASH && (isBlank(code) || code === NEWLINE || code === HASH)) return at;
    at = code === BACKSLASH ? Math.max(at + 1, joinedAt(text, at)) : at + 1;
  }
  return at;
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB || code === CARRIAGE_RETURN;
}

/** Behind the newline, when the backslash at `at` joins two lines; else 0. */
function joinedAt(text: string, at: number): number {
  if (text.charCodeAt(at + 1) === NEWLINE) return at + 2;
  return text.charCodeAt(at + 1) === CARRIAGE_RETURN && text.charCodeAt(at + 2) === NEWLINE ? at + 3 : 0;
}

/** Where the line goes on no longer: its first newline that no backslash joins, or -1. */
function lineEnd(text: string, from: number): number {
  let at = text.indexOf('\n', from);
  while (at !== -1 && isJoint(text, at)) at = text.indexOf('\n', at + 1);
  return at;
}

function isJoint(text: string, newline: number): boolean {
  const before = text.charCodeAt(newline - 1);
  return before === BACKSLASH || (before === CARRIAGE_RETURN && text.charCodeAt(newline - 2) === BACKSLASH);
}

/** A word without the joints within it. */
function unjoined(word: string): string {
  return word.includes('\n') ? word.replaceAll(/\\\r?\n/g, '') : word;
}

/** How many lines a word goes over. */
function joints(word: string): number {
  return word.includes('\n') ? word.split('\n').length - 1 : 0;
}
