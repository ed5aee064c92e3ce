import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { expect, it } from 'vitest';

const module = join(import.meta.dirname, '..', '..', 'bin', 'dev', 'run-to-end.mjs');

it('lets its caller tidy up after a signal, once the program has ended', async () => {
  const child = `process.on('SIGTERM', () => setTimeout(() => { console.log('ended'); process.exit(); }, 50)); console.log('ready'); setInterval(() => {}, 1000)`;
  const script = `
    import { runToEnd } from ${JSON.stringify(module)};
    process.on('exit', () => console.log('tidy'));
    await runToEnd([process.execPath, '-e', ${JSON.stringify(child)}], { cwd: '/', seconds: 60 });
    console.log('went on');`;
  const caller = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  caller.stdout.on('data', (text: Buffer) => {
    said += text.toString();
    if (said === 'ready\n') caller.kill('SIGTERM');
  });
  const [status] = (await once(caller, 'close')) as [number | null];
  expect(said).toBe('ready\nended\ntidy\n');
  expect(status).toBe(143);
});
