import type { ChildProcess } from 'node:child_process';

import { slowness } from './slowness.ts';

/**
 * Waits for a line of a child's output that matches, and returns it. Must be called before the event loop runs again
 * after the spawn, or lines may be missed.
 *
 * @throws Error with all that it wrote, when the child ends or `milliseconds` pass without such a line
 */
export function untilLine(
  child: ChildProcess,
  stream: 'stdout' | 'stderr',
  pattern: RegExp,
  milliseconds = 20_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const limit = milliseconds * slowness;
    const timer = setTimeout(() => finish(`no line ${pattern} within ${limit} ms`), limit);
    function finish(problem: string): void {
      clearTimeout(timer);
      reject(new Error(`${child.spawnargs.join(' ')}: ${problem}; ${stream} was: ${text}`));
    }
    child[stream]?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const line = text.split('\n').find((candidate) => pattern.test(candidate));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(line);
    });
    child.on('error', (error) => finish(error.message));
    child.on('close', (status, signal) => finish(`ended (${signal ?? `exit ${status}`}) without a line ${pattern}`));
  });
}
