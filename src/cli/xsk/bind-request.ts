import { usageError } from '../../domain/errors.ts';
import { isRingSize } from '../../domain/xsk-ring.ts';
import type { XskCopyMode, XskSpec } from '../../kernel/af-xdp/socket.ts';
import { flag, type Input, optionValue } from '../verb.ts';
import { parseDuration } from '../words/duration.ts';
import { type Handle, parseHandle } from '../words/handle.ts';
import { parseUnsigned, U32_MAX } from '../words/number.ts';
import { WordList } from '../words/word-list.ts';

/** What `xsk bind` was asked for. */
export interface BindRequest {
  readonly ifname: string;
  readonly queue: number;
  readonly path: { readonly map: Handle } | { readonly attach: 'native' | 'generic' };
  readonly mode: XskCopyMode;
  readonly spec: XskSpec;
  readonly count: number | undefined;
  /** Milliseconds. */
  readonly duration: number | undefined;
  readonly interval: number | undefined;
  readonly echo: boolean;
  readonly busy: boolean;
  /** Also on the device by which the user may be connected. */
  readonly yes: boolean;
  readonly write: { readonly path: string; readonly overwrite: boolean } | undefined;
}

/** The most memory for frames: addresses in it stay below 2^32. */
const MAX_MEMORY = 2 ** 30;
const MAX_RING = 2 ** 20;

const DEFAULT_RX_SIZE = 2048;

/** @throws ToolError usage */
export function parseBindRequest(input: Input): BindRequest {
  const words = new WordList(input.words);
  const ifname = words.take('the interface');
  words.end();
  const queue = optionValue(input, 'queue');
  if (queue === undefined) throw usageError("the receive queue is missing: '--queue N'", 'most often it is --queue 0');
  const echo = parseAction(optionValue(input, 'action') ?? 'drop');
  const request: BindRequest = {
    ifname,
    queue: parseUnsigned(queue, '--queue', U32_MAX),
    path: parsePath(input),
    mode: parseMode(input),
    spec: parseSpec(input, echo),
    count: parseOptional(input, 'count', 1, Number.MAX_SAFE_INTEGER),
    duration: parseTime(input, 'duration'),
    interval: parseTime(input, 'interval'),
    echo,
    busy: flag(input, 'busy'),
    yes: flag(input, 'yes'),
    write: parseWrite(input),
  };
  if (request.write?.path === '-' && request.interval !== undefined) {
    throw usageError('--write - and --interval both want standard output', 'write the frames to a file');
  }
  return request;
}

function parsePath(input: Input): BindRequest['path'] {
  const map = optionValue(input, 'map');
  const attach = flag(input, 'attach');
  const xdpMode = optionValue(input, 'mode');
  if (map !== undefined && attach) throw usageError('--map and --attach exclude each other');
  if (map === undefined && !attach) {
    throw usageError(
      "the map is missing: '--map MAP'",
      'or --attach, which brings a program and a map of its own and takes them away again',
    );
  }
  if (xdpMode !== undefined && xdpMode !== 'native' && xdpMode !== 'generic') {
    throw usageError(`--mode takes native or generic, not '${xdpMode}'`);
  }
  if (map === undefined) return { attach: xdpMode ?? 'native' };
  if (xdpMode !== undefined) throw usageError('--mode is for the program that --attach brings');
  return { map: parseHandle(map, 'map') };
}

function parseMode(input: Input): XskCopyMode {
  const copy = flag(input, 'copy');
  const zeroCopy = flag(input, 'zero-copy');
  if (copy && zeroCopy) throw usageError('--copy and --zero-copy exclude each other');
  return copy ? 'copy' : zeroCopy ? 'zerocopy' : 'auto';
}

/** Without words of the user there are twice as many frames as the RX ring holds: one half is filled, one is read. */
function parseSpec(input: Input, echo: boolean): XskSpec {
  const frameSize = parseFrameSize(optionValue(input, 'frame-size') ?? '2048');
  const rxSize = parseRingSize(input, 'rx-size') ?? DEFAULT_RX_SIZE;
  const frames =
    parseOptional(input, 'frames', 1, MAX_MEMORY / frameSize) ?? Math.min(2 * rxSize, MAX_MEMORY / frameSize);
  const fillSize = parseRingSize(input, 'fill-size') ?? Math.min(powerOfTwoFrom(frames), MAX_RING);
  const txSize = echo ? Math.min(powerOfTwoFrom(frames), rxSize) : undefined;
  return { frames, frameSize, rxSize, fillSize, completionSize: txSize ?? 1, ...(txSize !== undefined && { txSize }) };
}

function parseFrameSize(word: string): number {
  if (word !== '2048' && word !== '4096') throw usageError(`--frame-size takes 2048 or 4096, not '${word}'`);
  return Number(word);
}

function parseRingSize(input: Input, name: string): number | undefined {
  const size = parseOptional(input, name, 1, MAX_RING);
  if (size === undefined || isRingSize(size)) return size;
  throw usageError(
    `--${name} ${size} is no power of two`,
    `the nearest ones are ${powerOfTwoFrom(size) / 2} and ${powerOfTwoFrom(size)}`,
  );
}

function parseAction(word: string): boolean {
  if (word !== 'drop' && word !== 'echo') throw usageError(`--action takes drop or echo, not '${word}'`);
  return word === 'echo';
}

function parseWrite(input: Input): BindRequest['write'] {
  const path = optionValue(input, 'write');
  const overwrite = flag(input, 'overwrite');
  if (path === undefined) {
    if (overwrite) throw usageError('--overwrite is for the file of --write');
    return undefined;
  }
  if (path === '') throw usageError('the file of --write is an empty word');
  return { path, overwrite };
}

function parseOptional(input: Input, name: string, least: number, most: number): number | undefined {
  const word = optionValue(input, name);
  if (word === undefined) return undefined;
  const number = parseUnsigned(word, `--${name}`, most);
  if (number < least) throw usageError(`--${name} ${word} is out of range: at least ${least}`);
  return number;
}

function parseTime(input: Input, name: string): number | undefined {
  const word = optionValue(input, name);
  return word === undefined ? undefined : parseDuration(word, `--${name}`);
}

function powerOfTwoFrom(number: number): number {
  return 2 ** Math.ceil(Math.log2(number));
}
