import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { expect, it } from 'vitest';

const module = join(import.meta.dirname, '..', '..', 'bin', 'dev', 'run-to-end.mjs');

/** What ends some milliseconds after SIGTERM, as JavaScript within JavaScript. */
function endsAfter(milliseconds: number): string {
  const program = `process.on('SIGTERM', () => setTimeout(() => { console.log('ended after ${milliseconds}'); process.exit(); }, ${milliseconds})); console.log('ready'); setInterval(() => {}, 1000)`;
  return `runToEnd([process.execPath, '-e', ${JSON.stringify(program)}], { cwd: '/', seconds: 60 })`;
}

it('lets its caller tidy up after a signal, once all programs have ended', async () => {
  const script = `
    import { runToEnd } from ${JSON.stringify(module)};
    process.on('exit', () => console.log('tidy'));
    await Promise.race([${endsAfter(50)}, ${endsAfter(500)}]);
    console.log('went on');`;
  const caller = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  caller.stdout.on('data', (text: Buffer) => {
    said += text.toString();
    if (said === 'ready\nready\n') caller.kill('SIGTERM');
  });
  const [status] = (await once(caller, 'close')) as [number | null];
  expect(said).toBe('ready\nready\nended after 50\nended after 500\ntidy\n');
  expect(status).toBe(143);
});
