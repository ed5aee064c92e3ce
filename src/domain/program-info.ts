/** What the kernel says of a program (struct bpf_prog_info, linux/bpf.h). */
export interface ProgramInfo {
  readonly id: number;
  /** Number of `enum bpf_prog_type`; 6 is XDP. */
  readonly type: number;
  /** At most 15 characters; empty when the program has no name. */
  readonly name: string;
  /** Hash of the instructions, 16 hexadecimal digits. */
  readonly tag: string;
}

/** BPF_PROG_TYPE_XDP. */
export const PROG_TYPE_XDP = 6;
