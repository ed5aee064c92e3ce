/** The two numbers of a kernel release that decide what it can do. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** Reads `6.18.44-fc-v595` (uname -r); undefined when it does not begin with two numbers. */
export function parseKernelVersion(release: string): KernelVersion | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}

/**
 * Whether a kernel is at least as new as `6.3`. Distributions carry newer features in older kernels: where the feature
 * itself can be looked for (a field of a tracepoint, say), look for it instead.
 *
 * @throws TypeError when `wanted` is no version
 */
export function kernelAtLeast(kernel: KernelVersion, wanted: string): boolean {
  const least = parseKernelVersion(wanted);
  if (least === undefined) throw new TypeError(`no kernel version: ${wanted}`);
  return kernel.major > least.major || (kernel.major === least.major && kernel.minor >= least.minor);
}
