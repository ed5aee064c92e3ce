/**
 * By how much this machine is slower than one that runs the tests as they are: 1, or under emulation what test/vm says.
 * Limits of waiting are multiplied by it.
 */
export const slowness = Number(process.env['XDPCTL_SLOW'] ?? 1);
