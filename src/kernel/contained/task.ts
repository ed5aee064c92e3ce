import type { LogMessage } from '../../ffi/libbpf-log.ts';

/*
 * What this process and the one that reads a file of programs for it tell each other, as JSON: the task on the child's
 * standard input, one line before the bytes of the file, the report on its standard output. Descriptors of what was
 * loaded come by the socket that is the child's descriptor 3, in the order of the report's `sent`.
 */

/** The child's descriptor of the socket; those of maps that are to be reused follow. */
export const SOCKET_SLOT = 3;

/** What is to be done with a file. */
export interface ObjectTask {
  /** Of the file; nobody opens it. */
  readonly path: string;
  /** Whether everything that libbpf says is wanted. */
  readonly verbose: boolean;
  /** Absent: the file is only read. */
  readonly load?: LoadTask;
}

/** Changes before loading, by positions in the file. */
export interface LoadTask {
  readonly programs: readonly ProgramChange[];
  readonly maps: readonly MapChange[];
}

export interface ProgramChange {
  readonly index: number;
  readonly autoload?: boolean;
  readonly type?: { readonly type: number; readonly attachType: number };
}

export interface MapChange {
  readonly index: number;
  /** The child's descriptor of a map that takes the place of the file's. */
  readonly fd?: number;
  /** Set where libbpf is not to pin it, although the source says so. */
  readonly unpinned?: true;
}

/** What came of it. */
export interface ObjectReport {
  /** All that libbpf said, when it was wanted. */
  readonly messages: readonly LogMessage[];
  /** Absent when the file could not be opened. */
  readonly object?: ObjectDescription;
  /** The step that failed, and why. */
  readonly refusal?: { readonly operation: string; readonly errno: number; readonly log?: string };
  /** What was sent: positions in the file. */
  readonly sent?: { readonly programs: readonly number[]; readonly maps: readonly number[] };
}

/** What is in a file of programs. */
export interface ObjectDescription {
  readonly programs: readonly ProgramDescription[];
  readonly maps: readonly MapDescription[];
}

export interface ProgramDescription {
  readonly name: string;
  /** The section it stands in, e.g. `xdp/devmap`. */
  readonly section: string;
  /** Number of `enum bpf_prog_type`. */
  readonly type: number;
  /** Number of `enum bpf_attach_type`. */
  readonly expectedAttachType: number;
}

export interface MapDescription {
  /** As in the source; data sections are called `.rodata`, `.bss`. */
  readonly name: string;
  /** As libbpf calls it: data sections have the object's name cut to 8 characters before theirs, `redirect.rodata`. */
  readonly libbpfName: string;
  /** Number of `enum bpf_map_type`. */
  readonly type: number;
  /** Bytes. */
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Where libbpf pins it, or finds it, when it loads the object: the source says so (LIBBPF_PIN_BY_NAME). */
  readonly pinPath?: string;
}
