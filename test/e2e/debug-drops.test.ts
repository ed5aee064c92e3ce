import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { schemasOf } from '../../src/cli/schemas.ts';
import { forward } from '../kernel/support/loss-case.ts';
import { createLossyPath, faultyObject, type LossyPath } from '../kernel/support/lossy-path.ts';
import { commandEnvironment, RunningCommand, startXdpctl, xdpctl, xdpctlPath } from '../support/command.ts';
import { framesThrough, sendFrames } from '../support/frames.ts';
import { kernelHas, needKernel } from '../support/kernel-has.ts';
import { needProgram } from '../support/need.ts';
import { schemaProblems } from '../support/schema.ts';
import { slowness } from '../support/slowness.ts';
import { inNamespace, tool } from '../support/tool.ts';
import { setLink } from '../support/world.ts';

interface Report {
  readonly interval?: number;
  readonly backend?: string;
  readonly totals: { readonly redirected?: number; readonly dropped: number };
  readonly findings: readonly { readonly code: string; readonly count: number }[];
}

/** `debug drops` at the ingress of a path. */
function drops(path: LossyPath, ...words: string[]): string[] {
  return ['--netns', path.router, 'debug', 'drops', path.ingress.name, ...words];
}

function dropped(reports: readonly Report[]): number {
  return reports.reduce((sum, { totals }) => sum + totals.dropped, 0);
}

/**
 * Newer ones read the types of a tracepoint's fields from nowhere else (seen with 0.23.2 and 0.27.0, not with 0.17.0, which
 * does not know them on Linux 5.10 either).
 */
function bpftraceTakesBtf(): boolean {
  if (!kernelHas('5.11')) return true;
  const minor = /^bpftrace v0\.(\d+)/.exec(tool('bpftrace', ['--version']))?.[1];
  return Number(minor) >= 23;
}

const schema = (await schemasOf('debug'))['drops']!;

describe('debug drops', () => {
  it('counts until a signal, and tells a script by its exit code', async () => {
    using path = createLossyPath(faultyObject, 'gives_up');
    await using running = startXdpctl(['-j', ...drops(path, '--exit-code')]);
    await running.ready();
    sendFrames(path.source, { count: 40 });
    const result = await running.stop('SIGTERM');
    const report = result.json() as Report;
    expect(report).toMatchObject({ backend: 'builtin', totals: { dropped: 40 } });
    expect(report.findings).toMatchObject([{ code: 'program-aborted', count: 40 }]);
    expect(schemaProblems(schema, report)).toEqual([]);
    expect(result.status).toBe(10);
  });

  it('has nothing to say, and exit code 0, when nothing is lost', async () => {
    using path = createLossyPath(faultyObject, 'forward');
    forward(path);
    await using running = startXdpctl(['-j', ...drops(path, '--exit-code', '--conserve')]);
    await running.ready();
    expect(await framesThrough(path.source, path.sink, { count: 20 })).toBe(20);
    const result = await running.stop();
    expect(result.json()).toMatchObject({ totals: { redirected: 20, dropped: 0 }, findings: [] });
    expect(result.status).toBe(0);
  });

  it('knows that no frame was redirected where it counts them', async () => {
    using path = createLossyPath(faultyObject, 'gives_up');
    await using running = startXdpctl(['-j', ...drops(path, '--conserve', '--interval', '200ms')]);
    await running.ready();
    sendFrames(path.source, { count: 4 });
    await running.untilStdout(/"count":4/);
    const reports = (await running.stop()).jsonLines() as Report[];
    expect(reports.map(({ totals }) => totals.redirected)).toEqual(reports.map(() => 0));
  });

  it('finds broadcasts that went nowhere, and says before what that costs', async (context) => {
    needKernel(context, '5.14');
    using path = createLossyPath(faultyObject, 'to_all');
    await using running = startXdpctl(drops(path, '--conserve'));
    await running.ready();
    expect(running.stderr).toMatch(/^--conserve counts every redirected frame: .*packet rate.*\nready:/);
    sendFrames(path.source, { count: 25 });
    const { stdout } = await running.stop();
    expect(stdout).toMatch(/^25 frames lost[^]* 25 {2}broadcast-no-target \(certain\)/);
  });

  it.each(['builtin', 'bpftrace', 'perf'])(
    '--via %s tells every interval what is new, then everything',
    async (via) => {
      using path = createLossyPath(faultyObject, 'gives_up');
      await using running = startXdpctl(['-j', ...drops(path, '--via', via, '--interval', '200ms', '--exit-code')]);
      await running.ready();
      // An interval may end while the frames are on their way.
      const told = (): number =>
        dropped(
          running.stdout
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line) as Report),
        );
      const patience = { timeout: 20_000 * slowness };
      sendFrames(path.source, { count: 30 });
      await expect.poll(told, patience).toBe(30);
      const first = running.stdout.split('\n').length - 1;
      sendFrames(path.source, { count: 12 });
      await expect.poll(told, patience).toBe(42);
      const result = await running.stop();
      const reports = result.jsonLines() as Report[];
      const last = reports.pop();
      expect(last).toMatchObject({ backend: via, totals: { dropped: 42 }, findings: [{ count: 42 }] });
      expect(reports.map(({ interval }) => interval)).toEqual(reports.map((_, index) => index + 1));
      expect([dropped(reports.slice(0, first)), dropped(reports.slice(first))]).toEqual([30, 12]);
      for (const report of reports) expect(schemaProblems(schema, report)).toEqual([]);
      expect(result.status).toBe(10);
    },
  );

  it.each(['builtin', 'bpftrace', 'perf'])(
    'through %s knows what an egress program returned, also where only the way to it is asked for',
    async (via) => {
      using path = createLossyPath(faultyObject, 'forward');
      forward(path, 'egress_back');
      const asked = [
        [path.ingress.name],
        ['--prog', path.pin('progs/forward')],
        [path.ingress.name, '--prog', path.pin('progs/forward'), '--map', path.pin('maps/targets')],
      ];
      for (const words of asked) {
        await using running = startXdpctl(['-j', '--netns', path.router, 'debug', 'drops', ...words, '--via', via]);
        await running.ready();
        sendFrames(path.source, { count: 12 });
        const { findings } = (await running.stop()).json() as Report;
        expect(findings).toMatchObject([{ code: 'egress-program-bad-action', certainty: 'certain', count: 12 }]);
      }
    },
    60_000 * slowness,
  );

  it('knows the causes on a path that is made while it counts', async () => {
    using path = createLossyPath(faultyObject, 'forward');
    setLink(path.router, 'set', path.ingress.name, 'xdp', 'off');
    await using running = startXdpctl(['-j', ...drops(path)]);
    await running.ready();
    forward(path, 'egress_back');
    const attach = ['ip', 'link', 'set', path.ingress.name, 'xdpdrv', 'pinned', path.pin('progs/forward')];
    // Not as ip -n, which has another /sys.
    const [program = '', ...words] = inNamespace(path.router, attach);
    tool(program, words);
    sendFrames(path.source, { count: 13 });
    const { findings } = (await running.stop()).json() as Report;
    expect(findings).toMatchObject([{ code: 'egress-program-bad-action', certainty: 'certain', count: 13 }]);
  });

  it('knows where a program in a cpumap entry failed, also where only the way to it is asked for', async (context) => {
    needKernel(context, '5.9');
    using path = createLossyPath(faultyObject, 'to_cpu');
    path.setEntry('cpus', 0, 64, 'cpu_forward');
    forward(path);
    setLink(path.router, 'set', path.egress.name, 'down');
    for (const words of [[path.ingress.name], ['--prog', path.pin('progs/to_cpu')], ['--map', path.pin('maps/cpus')]]) {
      await using running = startXdpctl(['-j', '--netns', path.router, 'debug', 'drops', ...words]);
      await running.ready();
      sendFrames(path.source, { count: 14 });
      const { findings } = (await running.stop()).json() as Report;
      expect(findings).toMatchObject([{ code: 'target-down', count: 14 }]);
    }
  });

  it.runIf(kernelHas('5.14')).each([
    { code: 'target-down', change: ['down'], size: 60 },
    { code: 'frame-exceeds-mtu', change: ['mtu', '1000'], size: 1400 },
  ])('names the member at which a broadcast in generic mode ends: $code', async ({ code, change, size }) => {
    using path = createLossyPath(faultyObject, 'to_all', 'xdpgeneric');
    // At the key that the program gives, which the event names.
    path.setEntry('targets', 0, path.ingress.ifindex);
    path.setEntry('targets', 2, path.egress.ifindex);
    setLink(path.router, 'set', path.egress.name, ...change);
    await using running = startXdpctl(['-j', ...drops(path)]);
    await running.ready();
    sendFrames(path.source, { count: 15, size });
    const { findings } = (await running.stop()).json() as Report;
    const to = { ifindex: path.egress.ifindex, ifname: path.egress.name };
    const fix: unknown = expect.stringContaining(`ip link set dev ${path.egress.name} `);
    expect(findings).toMatchObject([{ code, certainty: 'likely', count: 15, to, key: 2, fix }]);
  });

  it('takes only what a program or a map has lost', async () => {
    using path = createLossyPath(faultyObject, 'forward');
    using other = createLossyPath(faultyObject, 'forward');
    for (const each of [path, other]) {
      forward(each);
      setLink(each.router, 'set', each.egress.name, 'down');
    }
    await using byProgram = startXdpctl(['-j', 'debug', 'drops', '--prog', path.pin('progs/forward')]);
    await using byMap = startXdpctl(['-j', 'debug', 'drops', '--map', other.pin('maps/targets')]);
    await byProgram.ready();
    await byMap.ready();
    sendFrames(path.source, { count: 8 });
    sendFrames(other.source, { count: 9 });
    expect((await byProgram.stop()).json()).toMatchObject({ findings: [{ code: 'target-down', count: 8 }] });
    expect((await byMap.stop()).json()).toMatchObject({ findings: [{ code: 'target-down', count: 9 }] });
  });

  it.each(['bpftrace', 'perf'])(
    'prints a command of %s that shows the losses when it is pasted, and runs nothing itself',
    async (via) => {
      using path = createLossyPath(faultyObject, 'gives_up');
      const words = drops(path, '--via', via, '--duration', '3s', '--print-command');
      const { stdout, stderr, status } = xdpctl(words);
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      const asJson = xdpctl(['-j', ...words]).json();
      expect(asJson).toEqual({ backend: via, command: stdout.trimEnd() });
      expect(schemaProblems(schema, asJson)).toEqual([]);
      const pasted = spawn('sh', ['-c', stdout], { stdio: ['ignore', 'pipe', 'pipe'] });
      let [shown, complaints] = ['', ''];
      pasted.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
      pasted.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
      const ended = new Promise((resolve) => pasted.on('close', resolve));
      // perf does not say when it has begun.
      const sending = setInterval(() => sendFrames(path.source, { count: 1 }), 50);
      await ended;
      clearInterval(sending);
      // bpftrace raises its limit of memory, which needs not be allowed. 0.23 does not like the name by which older ones know
      // a variable; 0.27 misses a file of tracefs that it does not use here, and counts its probes.
      const usual = /^$|RLIMIT|^WARNING: (?:BPFTRACE_MAP_KEYS_MAX|Could not read functions)|^Attached \d+ probes$/;
      expect(complaints.split('\n').filter((line) => !usual.test(line))).toEqual([]);
      expect(shown).toMatch(new RegExp(`exception.*\\b${path.ingress.ifindex}\\b`));
    },
  );

  it('prints the nearest command for what runs none', () => {
    const { stdout, stderr, status } = xdpctl(['debug', 'drops', '--via', 'builtin', '--print-command']);
    expect(stdout).toMatch(/^env .*bpftrace -e /);
    expect(stderr).toMatch(/^warning: builtin runs no command/);
    expect(status).toBe(0);
  });

  it.each([
    { hidden: ['/sys/kernel/btf/vmlinux'], via: 'bpftrace' },
    { hidden: ['/sys/kernel/btf/vmlinux', '"$(command -v bpftrace)"'], via: 'perf' },
    { hidden: ['/sys/kernel/btf/vmlinux', '"$(command -v bpftrace)"', '"$(command -v perf)"'], via: 'classic' },
  ])('goes on to $via where what it would rather use is missing, and says why', ({ hidden, via }) => {
    // A program that is an empty file is none; the mounts are seen by this command only.
    const hide = hidden.map((path) => `mount --bind /dev/null ${path} && `).join('');
    const wrapper = ['unshare', '--mount', 'sh', '-c', `${hide}exec "$@"`, 'sh'];
    const { status, stdout, stderr } = xdpctl(['debug', 'drops', '--duration', '100ms'], { wrapper });
    const warnings = stderr.split('\n').filter((line) => line.startsWith('warning:'));
    const unusable = via === 'bpftrace' && bpftraceTakesBtf();
    const withoutTypes: unknown = expect.stringMatching(/^warning: bpftrace is not used: .*(?:'u32'|BTF is required)/);
    const noBtf = 'this kernel has no BTF (CONFIG_DEBUG_INFO_BTF), so it cannot count exactly';
    expect(warnings).toEqual(
      via === 'classic'
        ? [
            `warning: builtin is used all the same, on classic tracepoints: ${noBtf}`,
            'warning: bpftrace is not used: not installed',
            'warning: perf is not used: not installed',
          ]
        : [
            `warning: builtin is not used: ${noBtf}`,
            ...(via === 'perf' ? ['warning: bpftrace is not used: not installed'] : []),
            ...(unusable ? [withoutTypes] : []),
          ],
    );
    const used = unusable ? 'perf' : via;
    expect(stdout).toContain(`(${used === 'classic' ? 'builtin' : used}, Linux `);
    expect(status).toBe(0);
  });

  it('prints nothing but reports with -j --follow', () => {
    const reports = xdpctl([
      '-j',
      'debug',
      'drops',
      '--follow',
      '--interval',
      '200ms',
      '--duration',
      '500ms',
    ]).jsonLines();
    expect(reports.length).toBeGreaterThan(1);
    for (const report of reports) expect(report).toMatchObject({ totals: expect.any(Object) as object });
  });

  it('refuses intervals that are too short, and tracers that there are not', () => {
    expect(xdpctl(['debug', 'drops', '--interval', '10ms'])).toMatchObject({ status: 2, stdout: '' });
    expect(xdpctl(['debug', 'drops', '--via', 'strace'])).toMatchObject({ status: 2, stdout: '' });
  });

  it('leaves nothing in the kernel when it is killed', async () => {
    await using running = startXdpctl(['debug', 'drops']);
    await running.ready();
    const { signal } = await running.stop('SIGKILL');
    expect(signal).toBe('SIGKILL');
    const { stdout } = xdpctl(['-j', 'debug', 'drops', '--duration', '50ms']);
    expect(JSON.parse(stdout)).toHaveProperty('backend', 'builtin');
  });
});

/** `debug drops --follow` on a terminal of 100 columns, in a process of its own with all that it draws as stdout. */
function followOnTerminal(path: LossyPath, ...words: string[]): RunningCommand {
  const command = [xdpctlPath, ...drops(path, '--follow', '--interval', '100ms', ...words)].join(' ');
  const line = `stty rows 20 columns 100; exec ${command}`;
  const child = spawn('script', ['-qefc', line, '/dev/null'], { env: commandEnvironment({ TERM: 'xterm' }) });
  return new RunningCommand(child, 30_000);
}

/** The process that `script` runs. */
function followed({ child }: RunningCommand): number {
  return Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
}

function isStopped(pid: number): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';

describe('debug drops --follow on a terminal', () => {
  it('draws the losses, and leaves the terminal as it was with the report on it', async (context) => {
    needProgram(context, 'script');
    using path = createLossyPath(faultyObject, 'gives_up');
    await using running = followOnTerminal(path, '--exit-code');
    await running.untilStdout(/no lost frames seen/);
    sendFrames(path.source, { count: 33 });
    await running.untilStdout(/33 frames lost/);
    process.kill(followed(running), 'SIGINT');
    const { stdout, status } = await running.result();
    const [before = '', drawn = '', after = ''] = stdout.split(/\u001b\[\?1049[hl]/);
    expect(before).toMatch(/^ready:/);
    expect(drawn).toContain('program-aborted');
    expect(stdout).toContain(enter);
    expect(stdout.indexOf(leave)).toBe(stdout.lastIndexOf(leave));
    expect(after).toMatch(/33 frames lost.* in [^]*program-aborted/);
    expect(status).toBe(10);
  });

  it('leaves the terminal as it was also when it is to end at once', async (context) => {
    needProgram(context, 'script');
    using path = createLossyPath(faultyObject, 'gives_up');
    await using running = followOnTerminal(path);
    await running.untilStdout(/no lost frames seen/);
    const pid = followed(running);
    // The second comes before it could end in order.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.kill(pid, signal);
    const { stdout } = await running.result();
    expect(stdout).toContain(leave);
    expect(stdout.slice(stdout.indexOf(leave))).not.toContain(enter);
  });

  it('leaves the terminal as it was also at Ctrl-\\', async (context) => {
    needProgram(context, 'script');
    using path = createLossyPath(faultyObject, 'gives_up');
    await using running = followOnTerminal(path);
    await running.untilStdout(/no lost frames seen/);
    process.kill(followed(running), 'SIGQUIT');
    const { stdout, status } = await running.result();
    expect(stdout.slice(stdout.indexOf(leave))).not.toContain(enter);
    expect(stdout.split(leave)).toHaveLength(2);
    // 128 + SIGQUIT, as script tells it.
    expect(status).toBe(131);
  });

  it('puts the terminal back while it is stopped, and draws again when it goes on', async (context) => {
    needProgram(context, 'script');
    using path = createLossyPath(faultyObject, 'gives_up');
    await using running = followOnTerminal(path);
    await running.untilStdout(/no lost frames seen/);
    const pid = followed(running);
    process.kill(pid, 'SIGTSTP');
    await until(() => isStopped(pid));
    process.kill(pid, 'SIGCONT');
    await until(() => {
      // script stops after what it runs, whenever it hears of that.
      process.kill(running.child.pid!, 'SIGCONT');
      return /no lost frames seen/.test(running.stdout.split(leave + enter)[1] ?? '');
    });
    process.kill(pid, 'SIGTERM');
    expect((await running.result()).stdout.split(leave)).toHaveLength(3);
  });
});
