import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { commandEnvironment, RunningCommand } from '../support/command.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { resembles } from '../support/resembles.ts';

const script = join(import.meta.dirname, '..', '..', 'bin', 'dev', 'demo.mjs');
/** What the README shows of it, from its first command to its last; before and after that there is more. */
const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
const readmeStory = `…${/^```console\n(.*?)^```/ms.exec(readme)?.[1] ?? 'no story'}`;
const MILLISECONDS = 60_000;

function startDemo(): RunningCommand {
  const child = spawn(process.execPath, [script], { env: commandEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  return new RunningCommand(child, MILLISECONDS);
}

describe('npm run demo', () => {
  it('shows a redirect that loses every frame, why, and what mends it, and leaves nothing behind', async () => {
    const before = kernelState();
    await using demo = startDemo();
    const { status, stdout, stderr } = await demo.result();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const commands = stdout.split('\n').filter((line) => line.startsWith('# '));
    expect(commands).toEqual(
      expect.arrayContaining([
        '# xdpctl --netns router redirect attach eth0 --to eth1',
        '# xdpctl --netns router debug drops eth0 --duration 3s &',
        expect.stringMatching(/^# .*receiver.* ethtool -K eth0 gro on$/),
        expect.stringMatching(/^# xdpctl --netns router map dump /),
        '# xdpctl --netns router redirect detach eth0',
      ]),
    );
    expect(stdout).toMatch(/^## 100 of 100 arrived.*^## 100 sent, none arrived/ms);
    expect(stdout).toMatch(/^ +100 +target-no-xmit \(certain\)/m);
    expect(stdout).toMatch(/target-no-xmit.*^## 100 of 100 arrived/ms);
    expect(resembles(stdout, readmeStory) ? readmeStory : stdout).toBe(readmeStory);
    await expectNothingNew(before);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at %s in the middle of it, and leaves nothing behind', async (signal, status) => {
    const before = kernelState();
    await using demo = startDemo();
    await demo.untilStdout(/^ready: counting lost frames/);
    expect(await demo.stop(signal)).toMatchObject({ status, stderr: '' });
    await expectNothingNew(before);
  });

  it('ends without a word when its reader goes away', async () => {
    const before = kernelState();
    await using demo = startDemo();
    await demo.untilStdout(/redirect attach/);
    demo.child.stdout?.destroy();
    expect(await demo.result()).toMatchObject({ status: 141, stderr: '' });
    await expectNothingNew(before);
  });
});
