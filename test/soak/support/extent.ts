/** How much is done: `npm run soak` (bin/dev/soak.mjs) sets these; without them, as much as `npm test` has time for. */
export const extent = {
  /** Commands, each a process of its own. */
  commands: numberOf('XDPCTL_SOAK_COMMANDS', 60),
  /** Lines of one batch. */
  lines: numberOf('XDPCTL_SOAK_LINES', 1000),
  /** How long each of the commands is watched that run until they are stopped. */
  seconds: numberOf('XDPCTL_SOAK_SECONDS', 6),
  /** Whether this is more than a part of `npm test`: then there is something to tell. */
  long: process.env['XDPCTL_SOAK_SECONDS'] !== undefined,
};

/**
 * By how much the memory of a process may rise: what V8 keeps differs from one moment to the next, and in the first seconds
 * it still compiles.
 */
export const MEMORY_KIB = extent.long ? 16 << 10 : 64 << 10;

/** And its mappings, most of which are pages of V8's heap. */
export const MAPPINGS = extent.long ? 32 : 128;

function numberOf(name: string, otherwise: number): number {
  const number = Number(process.env[name] ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name} is '${process.env[name]}', no whole number`);
  return number;
}
