import { jsonText } from './json.ts';
import type { Outcome, Sequence, SequencePrinter } from './outcome.ts';
import type { Sink } from './sink.ts';

/** Prints what commands give to people, one after another. */
export async function printSequence(
  sequence: Sequence,
  out: Sink,
  quiet: boolean,
  print: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  const printed = async (outcome: Outcome): Promise<void> => {
    await print(outcome);
    if (out.pressing) await out.drain();
  };
  const printer: SequencePrinter = {
    // Commands whose output nobody reads any more run all the same.
    command: (_words, outcome) => (outcome === undefined || out.closed ? undefined : printed(outcome)),
    flush: () => out.end(),
    footer(text) {
      if (!quiet) out.text(`${text}\n`);
    },
  };
  await sequence.run(printer);
}

/** Prints pairs of a command and its output as a JSON array, which is closed also when a command fails. */
export async function printSequenceJson(
  sequence: Sequence,
  out: Sink,
  pretty: boolean,
  print: (outcome: Outcome, depth: number) => Promise<void>,
): Promise<void> {
  const layout = pretty ? prettyLayout : denseLayout;
  let count = 0;
  const output = async (outcome: Outcome): Promise<void> => {
    try {
      await print(outcome, 2);
    } finally {
      out.text(layout.end);
    }
    if (out.pressing) await out.drain();
  };
  const printer: SequencePrinter = {
    command(words, outcome) {
      if (out.closed) return undefined;
      out.text(`${count === 0 ? '' : ','}${layout.command}${jsonText(words, pretty, 2)}${layout.output}`);
      count += 1;
      if (outcome !== undefined) return output(outcome);
      out.text(`null${layout.end}`);
      return out.pressing ? out.drain() : undefined;
    },
    flush: () => out.end(),
    footer: () => undefined,
  };
  out.text('[');
  try {
    await sequence.run(printer);
  } finally {
    out.text(pretty && count > 0 ? '\n]' : ']');
  }
}

const denseLayout = { command: '{"command":', output: ',"output":', end: '}' };
const prettyLayout = {
  command: '\n    {\n        "command": ',
  output: ',\n        "output": ',
  end: '\n    }',
};
