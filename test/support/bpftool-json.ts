import { eachPinOnce, tool } from './tool.ts';

/**
 * What `bpftool -j …` prints, with its whole numbers beyond 2^53 - 1 as decimal strings, which is how xdpctl writes
 * them; JSON.parse alone would round them.
 *
 * @throws SyntaxError where bpftool prints what is no JSON (floats, for one)
 */
export function bpftoolJson(...args: readonly string[]): unknown {
  const text = tool('bpftool', ['-j', ...args]);
  return JSON.parse(
    text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}/g, (token) =>
      token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${token}"`,
    ),
    eachPinOnce,
  );
}
