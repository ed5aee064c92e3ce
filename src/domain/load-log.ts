/** Why a BPF object could not be opened or loaded, as far as libbpf's messages tell. */
export interface LoadFailure {
  /** The program that the kernel refused; absent when it did not come to that. */
  readonly program?: string;
  /** The line that says why; absent when the kernel refused a program without a word. */
  readonly reason?: string;
}

/** What libbpf 1.0 and later say of the program and its verifier log (bpf_object_load_prog, tools/lib/bpf/libbpf.c). */
const refused = /^prog '(.*)': BPF program load failed: /m;
const begin = /^prog '.*': -- BEGIN PROG LOAD LOG --$/;
const end = '-- END PROG LOAD LOG --';

/** Figures, which the verifier writes below its verdict (print_verification_stats, kernel/bpf/verifier.c). */
const figures = /^(?:processed \d+ insns|verification time |stack depth |insns processed |total_states )/;

/** Sentences of libbpf that only say that something went wrong. */
const empty = /^(?:failed to load object|prog '.*': failed to load:)/;

/**
 * Finds the line that matters in libbpf's warnings.
 *
 * @param log the messages one below the other, without `libbpf: `
 */
export function loadFailure(log: string): LoadFailure {
  const program = refused.exec(log)?.[1];
  const reason = program === undefined ? firstWarning(log) : verifierLines(log).at(-1);
  return { ...(program !== undefined && { program }), ...(reason !== undefined && { reason }) };
}

/** The lines of the verifier before its verdict, at most so many: where in the program it was. */
export function linesBeforeVerdict(log: string, most: number): readonly string[] {
  return verifierLines(log).slice(0, -1).slice(-most);
}

/** What the verifier said, without its figures; its last line is why it refuses. Not by one expression, which could take for ever. */
function verifierLines(log: string): string[] {
  const lines = log.split('\n');
  const from = lines.findIndex((line) => begin.test(line));
  // Source lines of the program stand in the log: the last end is the real one.
  const to = lines.lastIndexOf(end);
  if (from === -1 || to < from) return [];
  return lines
    .slice(from + 1, to)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !figures.test(line));
}

/** What libbpf says when it goes on without types, which the kernel has refused: that was not why. */
const ignored = 'BTF is optional, ignoring.';

function firstWarning(log: string): string | undefined {
  const lines = log.split('\n');
  const after = lines.findLastIndex((line) => line.endsWith(ignored)) + 1;
  return lines.slice(after).find((line) => line !== '' && !empty.test(line));
}
