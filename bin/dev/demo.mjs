/**
 * `npm run demo`: sets the machine up, builds, and plays a story in throw-away network namespaces: a redirect loses every
 * frame, xdpctl says why and what to type, and when that is typed every frame arrives. The commands that it shows are the
 * ones it runs, and what it shows of them is what they print. Exits non-zero when the story does not come true.
 *
 * The story (demo-story.mjs) has mounts of its own, and so namespaces and pins of its own: whatever ends it, the kernel
 * takes them away with its last process.
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';

import { setup } from './setup.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

if (process.platform !== 'linux' || process.getuid() !== 0) {
  console.error('error: the demo makes network namespaces, which takes root on Linux');
  console.error('hint: sudo npm run demo');
  process.exit(1);
}
setup({ for: 'demo' });
const build = spawnSync(process.execPath, [join(import.meta.dirname, 'build.mjs')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(1);

// The parent-death signal ends the story also when this process is killed outright.
const wrapper = ['--pdeathsig', 'TERM', 'unshare', '--mount', '--propagation', 'private'];
const story = spawn('setpriv', [...wrapper, process.execPath, join(import.meta.dirname, 'demo-story.mjs')], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
let received;
for (const signal of signals) {
  process.on(signal, () => {
    received = signal;
    story.kill(signal);
  });
}
story.on('error', (error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
story.on('close', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[received ?? signal];
});
