/** All benchmarks by their names, as `--only` takes them. */
export const benchmarks: Readonly<Record<string, unknown>>;
