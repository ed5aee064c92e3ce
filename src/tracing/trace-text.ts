/** An event as the kernel's tracer writes it for people (Documentation/trace/ftrace.rst). */
export interface TraceLine {
  readonly event: string;
  /** The thread that ran; of an interrupt the one that it stopped. */
  readonly thread: number;
  /** What the event prints: words, and `name=value`. */
  readonly text: string;
}

/** The state of reading a text that comes in pieces. */
export class TraceText {
  /** The beginning of a line whose end has not come. */
  rest = '';
  /** Events that did not fit in the buffer. */
  lost = 0;
}

/** `            node-6333    [000] b..1.  3862.093919: xdp_redirect: prog_id=… err=0` */
const line = /^.*-(?<thread>\d+) +(?:\([ \d-]+\) +)?\[\d+\] +\S+ +[\d.]+: (?<event>\w+): (?<text>.*)$/;

/** The lines of a piece of text, and those that it completes. */
export function parseTraceText(state: TraceText, piece: string): TraceLine[] {
  const lines = (state.rest + piece).split('\n');
  state.rest = lines.pop() ?? '';
  return lines.flatMap((text) => {
    // `CPU:1 [LOST 12 EVENTS]`; before 6.1 without a number where the kernel does not know it.
    const lost = /^CPU:\d+ \[LOST(?: (\d+))? EVENTS\]/.exec(text);
    if (lost !== null) state.lost += Number(lost[1] ?? 1);
    return parseLine(text) ?? [];
  });
}

function parseLine(text: string): TraceLine | undefined {
  const { thread, event, text: rest } = line.exec(text)?.groups ?? {};
  if (thread === undefined || event === undefined || rest === undefined) return undefined;
  return { event, thread: Number(thread), text: rest };
}

/** The number of a `name=value`; undefined when the event does not print it. */
export function numberIn({ text }: TraceLine, name: string): number | undefined {
  const value = new RegExp(`(?:^|[ (])${name}=(-?\\d+)\\b`).exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}
