import { writeFileSync } from 'node:fs';
import { release } from 'node:os';

import { type ErrorDetails, KernelRefusal, ToolError, usageError } from '../../domain/errors.ts';
import { kernelFeatures, lacksFeature } from '../../domain/kernel-feature.ts';
import { PROG_TYPE_XDP } from '../../domain/program-info.ts';
import { xdpActionName } from '../../domain/xdp-action.ts';
import { EINTR, EINVAL, ENOMEM } from '../../kernel/check.ts';
import { hasFeature } from '../../kernel/kernel-features.ts';
import { osPath } from '../../kernel/os-path.ts';
import { isEntryProgram } from '../../kernel/program-kind.ts';
import { type RunInput, runProgram, type RunResult } from '../../kernel/program-run.ts';
import type { BpfProgram } from '../../kernel/program.ts';
import type { Outcome } from '../../output/outcome.ts';
import { type Context, Interrupted } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { openInput, readBytes } from '../input-file.ts';
import { openAnyProgram } from '../open-program.ts';
import type { Verb } from '../verb.ts';
import { parseUnsigned } from '../words/number.ts';
import { type ProgramHandle, takeProgramHandle } from '../words/program-handle.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenProgram } from './capabilities.ts';
import { hexDump } from './hex-dump.ts';
import { programText } from './program-text.ts';

interface Request {
  readonly handle: ProgramHandle;
  /** Files; `-` is standard input, or for what comes out standard output. */
  readonly files: Readonly<Partial<Record<FileWord, string>>>;
  readonly numbers: Readonly<Partial<Record<NumberWord, number>>>;
}

const fileWords = ['data_in', 'data_out', 'ctx_in', 'ctx_out'] as const;
const numberWords = ['data_size_out', 'ctx_size_out', 'repeat'] as const;
type FileWord = (typeof fileWords)[number];
type NumberWord = (typeof numberWords)[number];

/** The kernel takes an int. */
const MOST = 0x7fff_ffff;
/** What bpftool gives for what comes out. */
const ROOM = 32 * 1024;
/** A frame of the least length, all zeroes. */
const FRAME = 64;

export const verb: Verb = {
  object: 'prog',
  name: 'run',
  summary: 'run a program on a frame, and say what it returns',
  synopsis: [
    'PROG [data_in FILE] [data_out FILE [data_size_out N]] [ctx_in FILE [ctx_out FILE [ctx_size_out N]]] [repeat N]',
  ],
  description: [
    'Runs the program in the kernel (BPF_PROG_TEST_RUN) on the frame in FILE, or on 64 zero bytes; an XDP program needs at least 14. A frame that the program sends or redirects goes nowhere; whether a redirect would arrive is what `redirect check` tells. The maps of the program are changed as always.',
    'Of an XDP program the action is named. With `data_out` the frame as the program left it is written to a file, or for `-` shown. `repeat` runs the program N times, and the duration is the average.',
    'The context of an XDP program is a struct xdp_md: `ctx_in` gives the ifindex and queue where the frame is said to arrive.',
    'Programs for the entries of devmaps and cpumaps cannot be run: the kernel runs them only there.',
  ],
  arguments: [
    { name: 'PROG', description: 'id N, tag TAG, name NAME, pinned PATH, builtin NAME, a bare NAME or a /PATH' },
    { name: 'FILE', description: 'a file; - for standard input or output' },
    { name: 'N', description: 'a number of runs, or most bytes to write' },
  ],
  changes: 'runs the program, which may change its maps',
  namesStay: true,
  json: 'an object: retval, action (of an XDP program, where the value is one), duration in nanoseconds, and for `-` data_out and ctx_out as arrays of bytes',
  capabilities: `${toOpenProgram}; CAP_BPF and CAP_NET_ADMIN to run it`,
  examples: [
    {
      command: 'xdpctl prog run builtin pass',
      description: 'what it does with a frame of zeroes',
      output: `
returned  2 (XDP_PASS)
duration  80 ns`,
    },
    {
      command: 'xdpctl -j prog run builtin pass repeat 1000',
      description: 'how long it takes, on average',
      output: `
{"retval":2,"action":"XDP_PASS","duration":20}`,
    },
    {
      command: 'xdpctl prog run pinned egress',
      description: 'a program for the entries of devmaps',
      exit: 5,
      output: `
error: xdp program 63 (egress) is for the entries of a devmap: the kernel runs it only for frames that leave through one (EINVAL)
hint: load it without that section to run it: xdpctl prog load OBJ PIN type xdp`,
    },
  ],
  async run({ words }, context): Promise<Outcome | undefined> {
    const request = parseRequest(new WordList(words));
    using program = openAnyProgram(request.handle, context.maps.rehearsal);
    const input = await readInput(request, context);
    if (context.options.dryRun) {
      const refused = program.info.type === PROG_TYPE_XDP ? whyNeverRun(program, input) : undefined;
      if (refused !== undefined) throw refused;
      return dryRun([`run ${programText(program.info)} ${times(input.repeat)} on ${input.data?.length ?? 0} bytes`]);
    }
    const result = await ran(program, input, context);
    for (const [file, bytes] of outputs(request, result)) if (file !== '-') write(file, bytes);
    return report(program, request, result);
  },
};

function parseRequest(words: WordList): Request {
  const handle = takeProgramHandle(words);
  const files: Partial<Record<FileWord, string>> = {};
  const numbers: Partial<Record<NumberWord, number>> = {};
  while (!words.done) {
    const keyword = words.take('the keyword');
    const [file, number] = [fileWords.find((word) => word === keyword), numberWords.find((word) => word === keyword)];
    if ((file && files[file]) !== undefined || (number && numbers[number]) !== undefined) {
      throw usageError(`'${keyword}' is given twice`);
    }
    if (file !== undefined) files[file] = takeFile(words, keyword);
    else if (number !== undefined) numbers[number] = takeNumber(words, keyword);
    else throw usageError(`unknown word '${keyword}'`, `keywords are ${[...fileWords, ...numberWords].join(', ')}`);
  }
  for (const [one, other] of [
    ['data_size_out', 'data_out'],
    ['ctx_size_out', 'ctx_out'],
  ] as const) {
    if (numbers[one] !== undefined && files[other] === undefined) throw usageError(`'${one}' needs '${other} FILE'`);
  }
  if (files.ctx_out !== undefined && files.ctx_in === undefined) throw usageError("'ctx_out' needs 'ctx_in FILE'");
  if (files.data_in === '-' && files.ctx_in === '-') throw usageError('standard input can be read once');
  return { handle, files, numbers };
}

function takeFile(words: WordList, keyword: string): string {
  const file = words.take(`the file of '${keyword}'`);
  if (file === '') throw usageError(`the file of '${keyword}' is an empty word`);
  if (file.includes('\0')) throw usageError('a path cannot contain a zero byte');
  return file;
}

function takeNumber(words: WordList, keyword: string): number {
  const number = parseUnsigned(words.take(`the number of '${keyword}'`), keyword, MOST);
  if (number === 0) throw usageError(`${keyword} must be at least 1`);
  return number;
}

async function readInput({ files, numbers }: Request, context: Context): Promise<RunInput> {
  const read = async (file: string): Promise<Uint8Array> => readBytes(await openInput(file, context));
  const contextIn = files.ctx_in === undefined ? undefined : await read(files.ctx_in);
  return {
    data: files.data_in === undefined ? new Uint8Array(FRAME) : await read(files.data_in),
    context: contextIn,
    repeat: numbers.repeat ?? 1,
    dataOutSize: files.data_out === undefined ? 0 : (numbers.data_size_out ?? ROOM),
    contextOutSize: files.ctx_out === undefined ? 0 : (numbers.ctx_size_out ?? ROOM),
  };
}

/** So often is a program begun anew; a timer that interrupts every run would otherwise go on for ever. */
const ATTEMPTS = 10;

/**
 * Any signal ends the kernel's loop (bpf_test_timer_continue, net/bpf/test_run.c), also one that ends nothing: of a child
 * that is done, of a terminal that has another size. Then the program is run from the first run again.
 */
async function ran(program: BpfProgram, input: RunInput, context: Context): Promise<RunResult> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return runProgram(program, input);
    } catch (error) {
      if (!(error instanceof KernelRefusal)) throw error;
      if (error.errno === EINTR) {
        // The signal that the kernel saw is heard by Node in its next turn.
        await new Promise((resolve) => setImmediate(resolve));
        if (context.signal.aborted) throw new Interrupted('the program was not run to the end');
        if (attempt < ATTEMPTS) continue;
      }
      if (error.errno === ENOMEM && (input.data?.length ?? 0) > PAGES_OF_A_FRAME * PAGE) throw tooLong(input, error);
      if (error.errno !== EINVAL || program.info.type !== PROG_TYPE_XDP) throw error;
      throw whyInvalid(program, input, error);
    }
  }
}

/** MAX_SKB_FRAGS (include/linux/skbuff.h) may be as few, and a page no larger. */
const PAGES_OF_A_FRAME = 17;
const PAGE = 4096;

/** With more pages than a frame has the kernel says ENOMEM, whatever memory there is (bpf_prog_test_run_xdp). */
function tooLong({ data }: RunInput, refusal: KernelRefusal): ToolError {
  return new ToolError('usage', `the kernel has no room for a frame of ${data?.length ?? 0} bytes`, {
    errno: refusal.errno,
    operation: refusal.operation,
    cause: refusal,
    hint: `most kernels take up to 73,152 bytes: what fits into ${PAGES_OF_A_FRAME + 1} pages of ${PAGE} beside the headroom`,
  });
}

/** Why the kernel refused to run the program. */
function whyInvalid(program: BpfProgram, input: RunInput, refusal: KernelRefusal): Error {
  const details = { errno: refusal.errno, operation: refusal.operation, cause: refusal };
  const reason = whyNeverRun(program, input, details);
  if (reason !== undefined || input.context === undefined) return reason ?? refusal;
  if (!hasFeature(kernelFeatures.runContext)) {
    return lacksFeature(kernelFeatures.runContext, release(), 'leave ctx_in out');
  }
  return new ToolError('usage', 'the kernel refuses the context', {
    ...details,
    hint: 'it is a struct xdp_md: data is 0 or where metadata ends, data_end the length, and ifindex and queue are of a device that is there',
  });
}

/**
 * What the kernel refuses whatever else is given: programs for entries, and frames that are too short
 * (bpf_prog_test_run_xdp, net/bpf/test_run.c). Undefined where it is neither.
 */
function whyNeverRun(program: BpfProgram, { data }: RunInput, details: ErrorDetails = {}): ToolError | undefined {
  for (const kind of ['devmap', 'cpumap'] as const) {
    if (!isEntryProgram(program.fd, kind)) continue;
    const where = kind === 'devmap' ? 'that leave through one' : 'that are redirected to one';
    return new ToolError(
      'unsupported',
      `${programText(program.info)} is for the entries of a ${kind}: the kernel runs it only for frames ${where}`,
      {
        ...details,
        hint: ({ own }) => `load it without that section to run it: ${own('prog load OBJ PIN type xdp'.split(' '))}`,
      },
    );
  }
  const length = data?.length ?? 0;
  if (length < ETHERNET_HEADER) {
    return new ToolError('usage', `a frame has at least ${ETHERNET_HEADER} bytes, not ${length}`, details);
  }
  return undefined;
}

/** ETH_HLEN (linux/if_ether.h). */
const ETHERNET_HEADER = 14;

function outputs({ files }: Request, { data, context }: RunResult): [string, Uint8Array][] {
  return [
    ...(files.data_out === undefined ? [] : [[files.data_out, data] as [string, Uint8Array]]),
    ...(files.ctx_out === undefined ? [] : [[files.ctx_out, context] as [string, Uint8Array]]),
  ];
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(osPath(file), bytes);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    throw new ToolError('refused', `${file} cannot be written`, { errno: -errno, operation: 'open', cause: error });
  }
}

function report({ info }: BpfProgram, { files, numbers }: Request, result: RunResult): Outcome {
  const { returned, duration, data, context } = result;
  const action = info.type === PROG_TYPE_XDP ? xdpActionName(returned) : undefined;
  const repeat = numbers.repeat ?? 1;
  return {
    kind: 'report',
    data: {
      ...(files.data_out === '-' && { data_out: [...data] }),
      ...(files.ctx_out === '-' && { ctx_out: [...context] }),
      retval: returned,
      ...(action !== undefined && { action: `XDP_${action}` }),
      duration,
    },
    text: [
      ...(files.data_out === '-' ? [hexDump(data)] : []),
      ...(files.ctx_out === '-' ? [hexDump(context)] : []),
      `returned  ${returned}${action === undefined ? '' : ` (XDP_${action})`}\n`,
      `duration  ${duration} ns${repeat === 1 ? '' : `, average of ${repeat} runs`}\n`,
    ].join(''),
  };
}

function times(repeat: number): string {
  return repeat === 1 ? 'once' : `${repeat} times`;
}
