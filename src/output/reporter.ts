import { hintText, ToolError } from '../domain/errors.ts';
import { type Typed, typedAt } from '../domain/typed-command.ts';
import { type ColorChoice, type Painter, painter, wantsColor } from './color.ts';
import { failureJson, failureText } from './failure.ts';
import { JsonPrinter } from './json-printer.ts';
import { jsonText } from './json.ts';
import type { Outcome, Remark, Stream } from './outcome.ts';
import { printable, printableLines } from './printable.ts';
import { type ByteStream, Sink } from './sink.ts';
import { TextPrinter } from './text-printer.ts';
import { Walk } from './walk.ts';

export { counted } from './counted.ts';

export interface ReporterOptions {
  readonly json: boolean;
  readonly pretty: boolean;
  readonly color: ColorChoice;
  readonly quiet: boolean;
  /** --netns, which commands in hints must repeat. */
  readonly netns?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What `warn` takes. */
export type Warning = Remark;

/** Everything the user reads goes through here; human or JSON form is decided once, from the same data. */
export class Reporter {
  readonly #out: Sink;
  readonly #err: Sink;
  readonly #options: ReporterOptions;
  readonly #walk: Walk;
  readonly #typed: Typed;
  #outPainter: Painter | undefined;
  #errPainter: Painter | undefined;

  /**
   * @param breathe gives signals their turn now and then; awaited between rows
   */
  constructor(
    streams: { readonly stdout: ByteStream; readonly stderr: ByteStream },
    options: ReporterOptions,
    breathe: () => Promise<void> | undefined = () => undefined,
  ) {
    this.#out = new Sink(streams.stdout);
    this.#err = new Sink(streams.stderr);
    this.#options = options;
    this.#typed = typedAt(options.netns);
    this.#walk = new Walk(this.#out, breathe);
  }

  /** How far a list came that was stopped while it was printed, in words. */
  get progress(): string | undefined {
    return this.#walk.progress;
  }

  /** Prints what a verb returned, with a final newline. @throws ToolError refused where stdout cannot be written */
  async print(outcome: Outcome | undefined): Promise<void> {
    if (outcome === undefined) return;
    if (!this.#options.json) await this.#textPrinter().print(outcome);
    else if (outcome.kind === 'text') this.#out.text(outcome.text);
    else if (outcome.kind === 'stream') await this.#jsonLines(outcome);
    else {
      await this.#jsonPrinter().print(outcome, 0);
      this.#out.text('\n');
    }
    await this.#out.end();
    await this.#remark(outcome);
    const { failure } = this.#out.stream;
    if (failure !== undefined) throw unwritten(failure);
  }

  async warn(warning: Warning): Promise<void> {
    if (this.#options.quiet) return;
    const { message } = warning;
    const hint = hintText(warning.hint, this.#typed);
    if (this.#options.json) {
      this.#err.text(`${jsonText({ warning: { message, ...(hint !== undefined && { hint }) } }, false)}\n`);
    } else {
      const paint = await this.#paintErr();
      this.#err.text(`${paint('warn', 'warning:')} ${printable(message)}\n`);
      if (hint !== undefined) this.#err.text(`${paint('strong', 'hint:')} ${printable(hint)}\n`);
    }
    await this.#err.end();
  }

  /** The line that tells a script that the kernel side is in place. */
  async ready(text: string): Promise<void> {
    this.#err.text(`ready: ${printable(text)}\n`);
    await this.#err.end();
  }

  /** A line for people about what is going on; not in JSON, not with --quiet. */
  async note(text: string): Promise<void> {
    if (this.#options.json || this.#options.quiet) return;
    this.#err.text(`${printable(text)}\n`);
    await this.#err.end();
  }

  /** How far a command came that a signal stopped. */
  async interruption(text: string): Promise<void> {
    if (this.#options.json) await this.warn({ message: text });
    else await this.note(text);
  }

  /** Lines of a library's log (--debug), in which names and source lines of programs stand as they are. */
  async log(text: string): Promise<void> {
    this.#err.text(`${this.#options.json ? jsonText({ log: text }, false) : printableLines(text)}\n`);
    await this.#err.end();
  }

  /** Passes on what was printed before a failure. */
  async endOutput(): Promise<void> {
    if (this.#options.json && this.#out.position > 0) this.#out.text('\n');
    await this.#out.end();
  }

  async failure(error: ToolError): Promise<void> {
    if (this.#options.json) this.#err.text(`${jsonText(failureJson(error, this.#typed), false)}\n`);
    else this.#err.text(failureText(error, await this.#paintErr(), this.#typed));
    await this.#err.end();
  }

  #textPrinter(): TextPrinter {
    return new TextPrinter(
      this.#out,
      this.#options.quiet,
      this.#options.env['TERM'] !== 'dumb',
      this.#walk,
      () => this.#paintOut(),
      (part) => this.#remark(part),
    );
  }

  #jsonPrinter(): JsonPrinter {
    return new JsonPrinter(this.#out, this.#options.pretty, this.#walk, (part) => this.#remark(part));
  }

  async #jsonLines(outcome: Stream): Promise<void> {
    for await (const { data } of outcome.items) {
      if (data === undefined) continue;
      this.#out.text(`${jsonText(data, false)}\n`);
      await this.#out.end();
      if (this.#out.closed) return;
    }
  }

  async #remark(outcome: Outcome): Promise<void> {
    if (outcome.kind !== 'document') return;
    for (const remark of outcome.remarks()) await this.warn(remark);
  }

  async #paintOut(): Promise<Painter> {
    this.#outPainter ??= await this.#painterOf(this.#out.stream);
    return this.#outPainter;
  }

  async #paintErr(): Promise<Painter> {
    this.#errPainter ??= await this.#painterOf(this.#err.stream);
    return this.#errPainter;
  }

  #painterOf(stream: ByteStream): Promise<Painter> {
    return painter(wantsColor(this.#options.color, this.#options.env, stream.isTerminal));
  }
}

function unwritten({ message, errno }: NodeJS.ErrnoException): ToolError {
  return new ToolError('refused', 'standard output cannot be written', {
    operation: 'write',
    cause: message,
    ...(errno !== undefined && { errno: Math.abs(errno) }),
  });
}
