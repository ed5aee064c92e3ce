import { describe, expect, it } from 'vitest';

import { ToolError } from '../../src/domain/errors.ts';
import { type Column, one, type Outcome, rows, unlessEmpty } from '../../src/output/outcome.ts';
import { printable } from '../../src/output/printable.ts';
import { Reporter, type ReporterOptions } from '../../src/output/reporter.ts';
import type { ByteStream } from '../../src/output/sink.ts';

/** A stream that keeps what it is given. */
class Kept implements ByteStream {
  closed = false;
  failure: NodeJS.ErrnoException | undefined;
  text = '';
  readonly isTerminal: boolean;
  /** How many bytes it takes without waiting. */
  readonly #prompt: number;

  constructor(isTerminal = false, prompt = Infinity) {
    this.isTerminal = isTerminal;
    this.#prompt = prompt;
  }

  writeNow(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.#prompt);
    this.text += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.text += Buffer.from(bytes).toString();
    return Promise.resolve();
  }
}

const human: ReporterOptions = { json: false, pretty: false, color: 'auto', quiet: false, env: {} };
const json: ReporterOptions = { ...human, json: true };
const pretty: ReporterOptions = { ...json, pretty: true };

async function printed(
  outcome: Outcome,
  options: ReporterOptions,
  stdout = new Kept(),
): Promise<{ readonly out: string; readonly error: unknown }> {
  const reporter = new Reporter({ stdout, stderr: new Kept() }, options);
  let error: unknown;
  try {
    await reporter.print(outcome);
  } catch (thrown) {
    error = thrown;
    await reporter.endOutput();
  }
  return { out: stdout.text, error };
}

async function said(options: ReporterOptions, act: (reporter: Reporter) => Promise<void>): Promise<string> {
  const stderr = new Kept();
  await act(new Reporter({ stdout: new Kept(), stderr }, options));
  return stderr.text;
}

interface Row {
  readonly id: number;
  readonly name?: string;
}

const columns: readonly Column<Row>[] = [
  { header: 'ID', cell: ({ id }) => String(id), align: 'right' },
  { header: 'NAME', cell: ({ name }) => name ?? '' },
];

/** Rows of which the last cannot be had. */
function* breaking(count: number): Generator<Row> {
  for (let id = 0; id < count; id += 1) yield { id };
  throw new ToolError('refused', 'it broke');
}

describe('a list', () => {
  it('is a table for people, an array for programs, also when it is empty', async () => {
    const list: readonly Row[] = [{ id: 1, name: 'a' }, { id: 20 }];
    expect((await printed(rows(list, columns), human)).out).toBe('ID  NAME\n 1  a\n20\n');
    expect((await printed(rows(list, columns), json)).out).toBe('[{"id":1,"name":"a"},{"id":20}]\n');
    expect((await printed(rows([], columns), json)).out).toBe('[]\n');
    expect((await printed(rows([], columns), pretty)).out).toBe('[]\n');
  });

  it.each([false, true])('has no header over nothing (on a terminal: %s)', async (terminal) => {
    expect((await printed(rows([], columns), human, new Kept(terminal))).out).toBe('');
    expect((await printed(rows([], columns, unlessEmpty('things')), human, new Kept(terminal))).out).toBe('0 things\n');
    const single: readonly Row[] = [{ id: 1 }];
    expect((await printed(rows(single, columns, unlessEmpty('things')), human)).out).toBe('ID  NAME\n 1\n');
    expect((await printed({ kind: 'entries', keySize: 4, valueSize: 4, chunks: [] }, human)).out).toBe('0 entries\n');
  });

  it('has lines drawn only on a terminal', async () => {
    const box = await printed(rows([{ id: 1 }], columns), human, new Kept(true));
    expect(box.out).toContain('│');
    const list = await printed(rows([{ id: 1 }], columns), { ...human, color: 'always' });
    expect(list.out).not.toContain('│');
  });

  it.each([json, pretty])('that breaks half way is closed all the same: %j', async (options) => {
    const { out, error } = await printed(rows(breaking(3), columns), options);
    expect(JSON.parse(out)).toEqual([{ id: 0 }, { id: 1 }, { id: 2 }]);
    expect(error).toMatchObject({ message: 'it broke' });
  });

  it('that breaks before its first row prints nothing', async () => {
    expect((await printed(rows(breaking(0), columns), json)).out).toBe('');
  });

  it('arrives whole where the stream takes only some of it at once', async () => {
    const list = Array.from({ length: 1000 }, (_, id) => ({ id }));
    const { out } = await printed(rows(list, columns), json, new Kept(false, 7));
    expect(JSON.parse(out)).toEqual(list);
  });
});

describe('a number', () => {
  it.each([
    [2 ** 53 - 1, '9007199254740991'],
    [9007199254740991n, '9007199254740991'],
    [9007199254740992n, '"9007199254740992"'],
    [18446744073709551615n, '"18446744073709551615"'],
    [-9007199254740992n, '"-9007199254740992"'],
  ])('%s is printed as %s', async (value, text) => {
    expect((await printed(one({ value }, []), json)).out).toBe(`{"value":${text}}\n`);
  });
});

describe('an output that cannot be written', () => {
  it('is an error', async () => {
    const stdout = new Kept();
    stdout.closed = true;
    stdout.failure = Object.assign(new Error('full'), { code: 'ENOSPC', errno: -28 });
    expect((await printed(one({}, []), json, stdout)).error).toMatchObject({
      kind: 'refused',
      errno: 28,
      message: 'standard output cannot be written',
    });
  });

  it('is none where the reader has gone', async () => {
    const stdout = new Kept();
    stdout.closed = true;
    expect(await printed(one({}, []), json, stdout)).toEqual({ out: '', error: undefined });
  });
});

describe('stderr', () => {
  const failure = new ToolError('not-found', 'no map', { hint: 'make one', errno: 2, operation: 'map lookup' });

  it('has errors for people and for programs', async () => {
    expect(await said(human, (to) => to.failure(failure))).toBe('error: no map (ENOENT)\nhint: make one\n');
    expect(JSON.parse(await said(json, (to) => to.failure(failure)))).toEqual({
      error: { exit: 3, message: 'no map', hint: 'make one', errno: 2, errnoName: 'ENOENT', operation: 'map lookup' },
    });
    expect(JSON.parse(await said(json, (to) => to.failure(new ToolError('usage', 'wrong'))))).toEqual({
      error: { exit: 2, message: 'wrong' },
    });
  });

  it('has no line that is no object with --json, but that which begins with ready', async () => {
    const text = await said(json, async (to) => {
      await to.warn({ message: 'w', hint: 'h' });
      await to.note('for people');
      await to.interruption('stopped');
      await to.log('from the library');
      await to.ready('go');
    });
    expect(text.split('\n')).toEqual([
      '{"warning":{"message":"w","hint":"h"}}',
      '{"warning":{"message":"stopped"}}',
      '{"log":"from the library"}',
      'ready: go',
      '',
    ]);
  });

  it('has neither warnings nor notes with --quiet', async () => {
    for (const options of [human, json]) {
      const text = await said({ ...options, quiet: true }, async (to) => {
        await to.warn({ message: 'w' });
        await to.note('n');
        await to.ready('go');
      });
      expect(text).toBe('ready: go\n');
    }
  });
});

describe('control characters', () => {
  const evil = 'a\u001b[2J\u009b1m\r\n\u202eb';
  const shown = 'a\\x1b[2J\\x9b1m\\x0d\\x0a\\u202eb';

  it('are escaped', () => {
    expect(printable(evil)).toBe(shown);
  });

  it('reach no terminal, whatever prints them', async () => {
    for (const stream of [new Kept(), new Kept(true)]) {
      expect((await printed(rows([{ id: 1, name: evil }], columns), human, stream)).out).toContain(shown);
    }
    expect((await printed(one({}, [['name', evil]]), human)).out).toContain(shown);
    const text = await said(human, async (to) => {
      await to.warn({ message: evil, hint: evil });
      await to.failure(new ToolError('usage', evil, { hint: evil }));
      await to.note(evil);
      await to.ready(evil);
    });
    expect(text.replaceAll(shown, '').replaceAll('\n', '')).toBe('warning: hint: error: hint: ready: ');
  });
});

describe('what would control a terminal', () => {
  const hostile = 'a\u001b]0;x\u0007b\u009b2Jc\u202ed\u{e0001}e\udcfff\ng';
  const json8 = String.raw`a\u001b]0;x\u0007b\u009b2Jc\u202ed\udb40\udc01e\udcfff\ng`;

  it('is escaped for people', () => {
    expect(printable(hostile)).toBe(String.raw`a\x1b]0;x\x07b\x9b2Jc\u202ed\u{e0001}e\xfff\x0ag`);
    expect(printable('漢字 ä 😀')).toBe('漢字 ä 😀');
  });

  it('is escaped in JSON, where it means the same', async () => {
    const outcome = one({ name: hostile }, []);
    expect((await printed(outcome, json)).out).toBe(`{"name":"${json8}"}\n`);
    expect((await printed(outcome, pretty)).out).toBe(`{\n    "name": "${json8}"\n}\n`);
    expect(JSON.parse((await printed(outcome, json)).out)).toEqual({ name: hostile });
    const error = new ToolError('usage', hostile, { hint: hostile });
    expect(await said(json, (reporter) => reporter.failure(error))).toBe(
      `{"error":{"exit":2,"message":"${json8}","hint":"${json8}"}}\n`,
    );
    expect(await said(json, (reporter) => reporter.warn({ message: hostile }))).toBe(
      `{"warning":{"message":"${json8}"}}\n`,
    );
  });

  it('is escaped in the log of the verifier, of which the lines stay', async () => {
    const log = '; \u001b[2Jreturn 0;\n\tR1=1';
    expect(await said(human, (reporter) => reporter.log(log))).toBe('; \\x1b[2Jreturn 0;\n\tR1=1\n');
    expect(await said(json, (reporter) => reporter.log(log))).toBe('{"log":"; \\u001b[2Jreturn 0;\\n\\tR1=1"}\n');
  });
});
