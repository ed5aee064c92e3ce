/** Why a BPF object could not be opened or loaded, as far as libbpf's messages tell. */
export interface LoadFailure {
  /** The program that the kernel refused; absent when it did not come to that. */
  readonly program?: string;
  /** The line that says why; absent when the kernel refused a program without a word. */
  readonly reason?: string;
}

/** What libbpf 1.0 and later say of the program and its verifier log (bpf_object_load_prog, tools/lib/bpf/libbpf.c). */
const refused = /^prog '(.*)': BPF program load failed: /m;
const verifierLog = /^prog '.*': -- BEGIN PROG LOAD LOG --\n(.*?)^-- END PROG LOAD LOG --/ms;

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
  const reason = program === undefined ? firstWarning(log) : verdict(verifierLog.exec(log)?.[1] ?? '');
  return { ...(program !== undefined && { program }), ...(reason !== undefined && { reason }) };
}

/** The lines of the verifier before its verdict, at most so many: where in the program it was. */
export function linesBeforeVerdict(log: string, most: number): readonly string[] {
  return verifierLines(verifierLog.exec(log)?.[1] ?? '')
    .slice(0, -1)
    .slice(-most);
}

/** The last line of the verifier, whose last word is why it refuses. */
function verdict(log: string): string | undefined {
  return verifierLines(log).at(-1);
}

function verifierLines(log: string): string[] {
  return log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !figures.test(line));
}

function firstWarning(log: string): string | undefined {
  return log.split('\n').find((line) => line !== '' && !empty.test(line));
}
