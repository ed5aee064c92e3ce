/**
 * Starts a command, prints the milliseconds until it says `ready:` on stderr, and ends it.
 *
 *     node test/bench/drops/until-ready.mjs COMMAND WORDS…
 */
import { spawn } from 'node:child_process';

const [command, ...words] = process.argv.slice(2);
const begin = performance.now();
const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
let text = '';
child.stderr.setEncoding('utf8').on('data', (part) => {
  text += part;
  if (!/^ready:/m.test(text) || child.killed) return;
  console.log(performance.now() - begin);
  child.kill('SIGINT');
});
child.on('close', (status) => {
  if (status !== 0) console.error(text);
  process.exitCode = status ?? 1;
});
