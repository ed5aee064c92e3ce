import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { type RunningCommand, startXdpctl, xdpctl, xdpctlPath } from '../support/command.ts';
import { expectNothingNew, kernelState, type KernelState } from '../support/leaks.ts';
import { untilLine } from '../support/lines.ts';
import { needProgram } from '../support/need.ts';
import { Router } from '../support/router.ts';

let router: Router;

beforeAll(() => {
  router = new Router();
});

afterAll(() => {
  router[Symbol.dispose]();
});

afterEach(async () => {
  await router.clear();
});

/** Starts `xdpctl redirect …` in the router, with its input open, and waits until the change is in effect. */
async function started(...words: string[]): Promise<RunningCommand> {
  const running = startXdpctl(['--netns', router.netns, 'redirect', ...words], { keepInputOpen: true });
  await running.ready();
  return running;
}

/** The processes that a command has started, of which one is the guard. */
function childrenOf({ child: { pid } }: RunningCommand): readonly number[] {
  const pids = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  expect(pids).toHaveLength(1);
  return pids;
}

async function expectForwarding(to: 'right' | 'other'): Promise<void> {
  const expected = { right: 0, other: 0, [to]: 20 };
  expect(await router.arrivals(expected, { count: 20 })).toEqual(expected);
}

describe('redirect attach --confirm', () => {
  it.each(['\n', 'y\n', 'yes\n'])('stays when it is confirmed: %j', async (answer) => {
    const { a, b } = router;
    await using running = await started('attach', a.name, '--to', b.name, '--confirm', '20s');
    await expectForwarding('right');
    const [guard] = childrenOf(running);
    running.child.stdin?.write(answer);
    expect(await running.result()).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`${a.name} -> ${b.name}`),
    });
    expect(existsSync(`/proc/${guard}`)).toBe(false);
    await expectForwarding('right');
  });

  describe('is taken back', () => {
    let before: KernelState;

    async function expectNothingLeft(): Promise<void> {
      expect(router.attached(router.a.name)).toBeUndefined();
      await expectNothingNew(before);
    }

    it.each(['n\n', 'no\n', 'what?\n'])('when it is not confirmed: %j', async (answer) => {
      before = kernelState();
      await using running = await started('attach', router.a.name, '--to', router.b.name, '--confirm', '20s');
      const [guard] = childrenOf(running);
      running.child.stdin?.write(answer);
      const { status, stderr } = await running.result();
      expect(existsSync(`/proc/${guard}`)).toBe(false);
      expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('was taken back') });
      await expectNothingLeft();
    });

    it('after the time', async () => {
      before = kernelState();
      await using running = await started('attach', router.a.name, '--to', router.b.name, '--confirm', '300ms');
      expect(await running.result()).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('not confirmed in time'),
      });
      await expectNothingLeft();
    });

    it('when the input ends, as that of a broken connection does', async () => {
      before = kernelState();
      await using running = await started('attach', router.a.name, '--to', router.b.name, '--confirm', '20s');
      running.child.stdin?.end();
      expect(await running.result()).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('end of standard input'),
      });
      await expectNothingLeft();
    });

    it.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)('on %s', async (signal) => {
      before = kernelState();
      await using running = await started('attach', router.a.name, '--to', router.b.name, '--confirm', '20s');
      expect(await running.stop(signal)).toMatchObject({
        status: null,
        signal,
        stderr: expect.stringContaining('was taken back'),
      });
      await expectNothingLeft();
    });

    it('when the terminal hangs up', async (context) => {
      needProgram(context, 'script');
      before = kernelState();
      const { a, b } = router;
      const command = `${xdpctlPath} --netns ${router.netns} redirect attach ${a.name} --to ${b.name} --confirm 20s`;
      const terminal = spawn('script', ['-qfc', command, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'ignore'],
        detached: true,
      });
      await untilLine(terminal, 'stdout', /ready:/);
      await expectForwarding('right');
      terminal.kill('SIGKILL');
      await expect.poll(() => router.attached(a.name), { timeout: 60_000 }).toBeUndefined();
      await expectNothingLeft();
    });

    it('when it is killed, by the process that guards it', async () => {
      before = kernelState();
      await using running = await started('attach', router.a.name, '--to', router.b.name, '--confirm', '20s');
      await expectForwarding('right');
      // The guard has its stderr as well, so that its end is waited for.
      const { stderr } = await running.stop('SIGKILL');
      expect(stderr).toMatch(/\na command that was killed had begun to change \S+: undone\n$/);
      await expectNothingLeft();
    });

    it('by the next command after a kill of both', async () => {
      before = kernelState();
      await using running = await started('attach', router.a.name, '--to', router.b.name, '--confirm', '20s');
      for (const pid of childrenOf(running)) process.kill(pid, 'SIGKILL');
      await running.stop('SIGKILL');
      await expectForwarding('right');
      expect(await router.redirect('detach', router.c.name)).toMatchObject({ status: 3 });
      await expectNothingLeft();
    });
  });

  it('brings back what it had replaced', async () => {
    const { a, b, c } = router;
    await router.done('attach', a.name, '--to', b.name);
    const { id } = router.attached(a.name)!;
    await using running = await started('attach', a.name, '--to', c.name, '--replace', '--confirm', '20s');
    await expectForwarding('other');
    running.child.stdin?.end();
    expect((await running.result()).status).toBe(1);
    expect(router.attached(a.name)?.id).toBe(id);
    await expectForwarding('right');
    expect(await router.done('export')).toMatchObject({ redirects: [{ dev: a.name, to: [b.name] }] });
  });

  it('is there for apply as well, with all its paths', async () => {
    const { a, b, c } = router;
    await router.done('attach', a.name, '--to', b.name);
    const document = {
      xdpctl: 1,
      redirects: [
        { dev: a.name, to: [c.name] },
        { dev: b.name, to: [a.name] },
      ],
    };
    const words = ['--netns', router.netns, 'redirect', 'apply', '/dev/fd/3', '--confirm', '300ms'];
    await using running = startXdpctl(words, {
      keepInputOpen: true,
      wrapper: ['sh', '-c', `exec "$@" 3<<'END'\n${JSON.stringify(document)}\nEND`, 'sh'],
    });
    await running.ready();
    expect(await running.result()).toMatchObject({ status: 1 });
    expect(router.attached(b.name)).toBeUndefined();
    await expectForwarding('right');
  });
});

describe('a change that nobody could confirm is not begun', () => {
  it('because standard input is the document', () => {
    const { a, b, netns } = router;
    const input = JSON.stringify({ xdpctl: 1, redirects: [{ dev: a.name, to: [b.name] }] });
    const { status, stderr } = xdpctl(['--netns', netns, 'redirect', 'apply', '-', '--confirm', '20s'], { input });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'error: --confirm reads its answer from standard input, so the document must be in a file\n',
    });
    expect(router.attached(a.name)).toBeUndefined();
  });

  it('because standard input is the batch', () => {
    const { a, b, netns } = router;
    const input = `redirect attach ${a.name} --to ${b.name} --confirm 20s\n`;
    const { status, stderr } = xdpctl(['--netns', netns, 'batch', 'file', '-'], { input });
    expect(status).toBe(2);
    // Without the line that says that it is in effect.
    expect(stderr).toMatch(/^error: [^\n]*standard input is the batch itself: [^\n]*\n$/);
    expect(router.attached(a.name)).toBeUndefined();
  });
});

describe('a command that has to wait for another', () => {
  it('says so, and can be interrupted', async () => {
    const { a, b, c } = router;
    await using first = await started('attach', a.name, '--to', b.name, '--confirm', '20s');
    await using second = startXdpctl(['--netns', router.netns, 'redirect', 'attach', c.name, '--to', b.name]);
    await second.untilStderr(/^waiting for another xdpctl command/);
    expect(await second.stop('SIGINT')).toMatchObject({
      signal: 'SIGINT',
      stderr: expect.stringContaining('interrupted before anything was changed'),
    });
    expect(router.attached(c.name)).toBeUndefined();
    first.child.stdin?.write('\n');
    expect((await first.result()).status).toBe(0);
  });
});
