import { LibraryError } from '../ffi/koffi.ts';
import { libbpf } from '../ffi/libbpf.ts';

/** The version of the libbpf.so.1 found here, e.g. `1.1`; undefined when there is none. */
export function libbpfVersion(): string | undefined {
  try {
    return libbpf.libbpf_version_string().replace(/^v/, '');
  } catch (error) {
    if (error instanceof LibraryError) return undefined;
    throw error;
  }
}
