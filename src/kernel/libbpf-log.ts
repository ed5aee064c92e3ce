import { LibraryError } from '../ffi/koffi.ts';
import { listenToLibbpf } from '../ffi/libbpf-log.ts';

/**
 * Passes on all that libbpf has to say, the verifier's log included, until the result is disposed of. Where there is no
 * libbpf nothing is said, and nothing fails.
 */
export function passOnLibbpfLog(hear: (text: string) => void): Disposable {
  try {
    listenToLibbpf(({ text }) => {
      hear(text);
    });
  } catch (error) {
    if (!(error instanceof LibraryError)) throw error;
  }
  return {
    [Symbol.dispose]() {
      listenToLibbpf(undefined);
    },
  };
}
