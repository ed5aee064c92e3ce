import { ToolError } from '../domain/errors.ts';
import { canLoad, LibraryError } from '../ffi/koffi.ts';

/** What installs libbpf.so.1, or brings the newest of the distribution. */
const packages =
  'apt install libbpf1 (Debian, Ubuntu), dnf install libbpf (Fedora, RHEL), ' +
  'apk add libbpf (Alpine), pacman -S libbpf (Arch)';

/** The error for a shared library or function that is missing here, or undefined for any other error. */
export function libraryFailure(error: unknown): ToolError | undefined {
  if (!(error instanceof LibraryError)) return undefined;
  const { library, symbol } = error;
  const scarce = shortage(error);
  if (scarce !== undefined) return scarce;
  if (library === 'koffi') {
    return new ToolError('unsupported', 'the npm package koffi, or its part for this machine, is not installed', {
      hint: 'install xdpctl again, without --omit=optional',
      cause: error.cause,
    });
  }
  if (symbol === undefined) {
    const reason = loaderReason(error);
    if (reason !== undefined) {
      return new ToolError('unsupported', `${library} is here, but cannot be loaded: ${reason}`, {
        hint: `install it anew, with what it needs: ${packages}`,
        cause: error.cause,
      });
    }
    const older = canLoad('libbpf.so.0') ? ', and only libbpf.so.0 (libbpf 0.x) is here' : '';
    return new ToolError('unsupported', `${library} cannot be loaded: libbpf 1.0 or newer is required${older}`, {
      hint: `install it: ${packages}`,
      cause: error.cause,
    });
  }
  return new ToolError('unsupported', `${library} has no function ${symbol}: it is too old`, {
    hint: `this command needs a newer libbpf: ${packages}`,
    cause: error.cause,
  });
}

/** The error when the dynamic loader had no descriptor or no memory left (strerror of the C library, within dlerror). */
function shortage({ library, cause }: LibraryError): ToolError | undefined {
  const [reason] =
    /Too many open files|No file descriptors available|Cannot allocate memory|Out of memory/.exec(
      cause instanceof Error ? cause.message : '',
    ) ?? [];
  if (reason === undefined) return undefined;
  return new ToolError('refused', `${library} cannot be loaded: ${reason.toLowerCase()}`, {
    hint: 'raise the limits of this process: ulimit -n, ulimit -v',
    cause,
  });
}

/**
 * What the dynamic loader has against a library that it found: a library that this one needs is missing, or it is made
 * for a newer C library. Undefined where there is no such file (dlerror of glibc, whose file name koffi leaves out, and of
 * musl).
 */
function loaderReason({ library, cause }: LibraryError): string | undefined {
  const text = cause instanceof Error ? cause.message.replace(/^Failed to load shared library: /, '') : '';
  const absent = ['cannot open', `${library}: cannot open`, `Error loading shared library ${library}: No such file`];
  return text === '' || absent.some((beginning) => text.startsWith(beginning)) ? undefined : text;
}
