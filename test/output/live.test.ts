import { describe, expect, it } from 'vitest';

import type { Outcome, StreamItem } from '../../src/output/outcome.ts';
import { Reporter, type ReporterOptions } from '../../src/output/reporter.ts';
import type { ByteStream, Takeover } from '../../src/output/sink.ts';

/** A terminal that keeps what is written to it, and who has taken it over. */
class Terminal implements ByteStream {
  readonly isTerminal: boolean;
  readonly size = { columns: 20, rows: 3 };
  closed = false;
  text = '';
  takeovers: (Takeover | undefined)[] = [];

  constructor(isTerminal = true) {
    this.isTerminal = isTerminal;
  }

  writeNow(bytes: Uint8Array): number {
    this.text += Buffer.from(bytes).toString();
    return bytes.length;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.writeNow(bytes);
    return Promise.resolve();
  }

  takeOver(takeover: Takeover | undefined): void {
    this.takeovers.push(takeover);
  }
}

const human: ReporterOptions = { json: false, pretty: false, color: 'never', quiet: false, env: {} };
const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';

function picture(...lines: string[]): StreamItem {
  return { data: { lines: lines.length }, text: `${lines[0]}!\n`, picture: () => lines };
}

function live(items: () => AsyncGenerator<StreamItem>): Outcome {
  return { kind: 'stream', items: items(), live: true };
}

async function printed(outcome: Outcome, terminal: Terminal, options = human): Promise<unknown> {
  const reporter = new Reporter({ stdout: terminal, stderr: new Terminal(false) }, options);
  return reporter.print(outcome).then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function* twoAndTheEnd(): AsyncGenerator<StreamItem> {
  yield picture('one', 'two', 'three', 'four');
  yield picture('five');
  yield { data: { end: true }, text: 'all\n' };
}

describe('pictures on a terminal', () => {
  it('take each other’s place, and leave the terminal as it was before what is to stay', async () => {
    const terminal = new Terminal();
    await printed(live(twoAndTheEnd), terminal);
    const first = '\u001b[Hone\u001b[K\r\ntwo\u001b[K\r\nthree\u001b[K\u001b[J';
    expect(terminal.text).toBe(`${enter}${first}\u001b[Hfive\u001b[K\u001b[J${leave}all\n`);
    expect(terminal.takeovers).toEqual([{ enter, leave }, undefined]);
  });

  it('leave it also when something fails', async () => {
    const terminal = new Terminal();
    const failure = new Error('the tracer died');
    const outcome = live(async function* failing() {
      yield picture('one');
      throw failure;
    });
    expect(await printed(outcome, terminal)).toBe(failure);
    expect(terminal.text.endsWith(leave)).toBe(true);
  });

  it('end what makes them when the terminal has gone', async () => {
    const terminal = new Terminal();
    let ended = false;
    const outcome = live(async function* endless() {
      try {
        for (;;) {
          yield picture('one');
          terminal.closed = true;
        }
      } finally {
        ended = true;
      }
    });
    await printed(outcome, terminal);
    expect(ended).toBe(true);
  });

  it.each([
    ['in a pipe', new Terminal(false), human],
    ['on a terminal that can only print', new Terminal(), { ...human, env: { TERM: 'dumb' } }],
  ])('are lines %s', async (_where, terminal, options) => {
    await printed(live(twoAndTheEnd), terminal, options);
    expect(terminal.text).toBe('one!\nfive!\nall\n');
  });

  it('are an object a line in JSON', async () => {
    const terminal = new Terminal();
    await printed(live(twoAndTheEnd), terminal, { ...human, json: true });
    expect(terminal.text).toBe('{"lines":4}\n{"lines":1}\n{"end":true}\n');
  });
});
