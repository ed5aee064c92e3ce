import { koffi } from './koffi.ts';
import { libbpf, type Pointer } from './libbpf.ts';
import { libc } from './libc.ts';

/** enum libbpf_print_level (bpf/libbpf.h). */
export type LogLevel = 'warn' | 'info' | 'debug';

/** One message of libbpf, without `libbpf: ` before and the newline after it. */
export interface LogMessage {
  readonly level: LogLevel;
  readonly text: string;
}

const levels: readonly LogLevel[] = ['warn', 'info', 'debug'];

/**
 * As much as libbpf reads of the verifier's log (BPF_LOG_BUF_SIZE, tools/lib/bpf/libbpf.c), which comes as one message;
 * what a message does not fill costs no memory, because the allocator leaves large buffers unmapped.
 */
const MESSAGE_SIZE = 1 << 24;

let callback: Pointer = null;
let listener: ((message: LogMessage) => void) | undefined;
let recording: LogMessage[] | undefined;
let buffer: Uint8Array;

/**
 * From now on libbpf prints nothing on stderr itself, as it would by default; what it has to say goes to the listener.
 *
 * @param hear called for each message, of every level, while libbpf runs; undefined to stop listening
 */
export function listenToLibbpf(hear: ((message: LogMessage) => void) | undefined): void {
  listener = hear;
  if (hear !== undefined) installCallback();
}

/** Whether somebody listens, who should be told more than a failure needs. */
export function isListening(): boolean {
  return listener !== undefined;
}

/**
 * Calls libbpf, and returns with its result the warnings and notes that it had meanwhile.
 *
 * @param call synchronous
 */
export function recordLibbpf<Result>(call: () => Result): { readonly result: Result; readonly messages: LogMessage[] } {
  installCallback();
  const outer = recording;
  const messages: LogMessage[] = [];
  recording = messages;
  try {
    return { result: call(), messages };
  } finally {
    recording = outer;
  }
}

/** Lets the listener hear what libbpf said in another process. */
export function hearFromElsewhere(messages: readonly LogMessage[]): void {
  for (const message of messages) listener?.(message);
}

/** The callback stays for the life of the process: registering it again for each call would cost 20 µs. */
function installCallback(): void {
  if (callback !== null) return;
  const { proto, pointer, register } = koffi();
  buffer = new Uint8Array(MESSAGE_SIZE);
  // A va_list is passed as a pointer on x86-64 and arm64, by the caller and to vsnprintf alike.
  const print = proto('int XdpctlLibbpfPrint(int level, void *format, void *arguments)');
  callback = register(hearMessage, pointer(print));
  libbpf.libbpf_set_print(callback);
}

/** libbpf_print_fn_t. Arguments can be read only once, so there is no second try with a larger buffer. */
function hearMessage(level: number, format: Pointer, arguments_: Pointer): number {
  const name = levels[level] ?? 'debug';
  const recorded = name === 'debug' ? undefined : recording;
  if (listener === undefined && recorded === undefined) return 0;
  const length = Math.min(libc.vsnprintf(buffer, buffer.length, format, arguments_), buffer.length - 1);
  const text = Buffer.from(buffer.subarray(0, Math.max(length, 0))).toString();
  const message: LogMessage = { level: name, text: text.replace(/^libbpf: /, '').trimEnd() };
  listener?.(message);
  recorded?.push(message);
  return 0;
}
