import { ToolError } from '../domain/errors.ts';
import { LibraryError } from '../ffi/koffi.ts';

/** What installs libbpf.so.1, or brings the newest of the distribution. */
const packages =
  'apt install libbpf1 (Debian, Ubuntu), dnf install libbpf (Fedora, RHEL), ' +
  'apk add libbpf (Alpine), pacman -S libbpf (Arch)';

/** The error for a shared library or function that is missing here, or undefined for any other error. */
export function libraryFailure(error: unknown): ToolError | undefined {
  if (!(error instanceof LibraryError)) return undefined;
  const { library, symbol } = error;
  if (library === 'koffi') {
    return new ToolError('unsupported', 'the npm package koffi, or its part for this machine, is not installed', {
      hint: 'install xdpctl again, without --omit=optional',
      cause: error.cause,
    });
  }
  if (symbol === undefined) {
    return new ToolError('unsupported', `${library} cannot be loaded: libbpf 1.0 or newer is required`, {
      hint: `install it: ${packages}`,
      cause: error.cause,
    });
  }
  return new ToolError('unsupported', `${library} has no function ${symbol}: it is too old`, {
    hint: `this command needs a newer libbpf: ${packages}`,
    cause: error.cause,
  });
}
