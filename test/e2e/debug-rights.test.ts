import { describe, expect, it } from 'vitest';

import { xdpctl } from '../support/command.ts';

/** Runs as somebody who is not root, with these capabilities only. */
function asNobody(words: readonly string[], ...capabilities: string[]) {
  const set = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const user = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  return xdpctl(words, {
    wrapper: ['setpriv', ...user, `--inh-caps=${set}`, `--ambient-caps=${set}`, `--bounding-set=${set}`, '--'],
  });
}

const drops = ['debug', 'drops', '--duration', '200ms'];
const tracefs = '/sys/kernel/tracing';

describe('somebody who may not trace', () => {
  it.each([
    ['builtin', 'CAP_BPF and CAP_PERFMON'],
    ['bpftrace', 'CAP_SYS_ADMIN'],
    ['perf', 'CAP_PERFMON'],
  ])('is told by --via %s that %s is missing', (via, missing) => {
    const { status, stdout, stderr } = asNobody([...drops, '--via', via]);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect(stderr).toContain(missing);
    expect(stderr).toMatch(/\nhint: run it as root/);
    // Each once, and with one line of its own.
    expect(stderr.match(new RegExp(`${via}: `, 'g'))).toHaveLength(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it('is told at once of all backends what each needs', () => {
    for (const verb of [drops, ['debug', 'events', '--duration', '200ms']]) {
      const { status, stderr } = asNobody(verb);
      expect(status).toBe(4);
      expect(stderr).toMatch(
        /^error: tracing was refused \(builtin: .*CAP_BPF.*; bpftrace: .*; perf: .*CAP_PERFMON.*\)/,
      );
      expect(stderr).toContain('CAP_DAC_READ_SEARCH');
      expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    }
  });

  it.each([[[...drops, '--print-command']], [['debug', 'record', '--duration', '200ms', '-o', '/tmp/none.data']]])(
    'is told by %j that tracefs is root’s',
    (words) => {
      const { status, stderr } = asNobody(words);
      expect(status).toBe(4);
      expect(stderr).toContain(`cannot read ${tracefs}/events/xdp`);
      expect(stderr).toContain('CAP_DAC_READ_SEARCH');
      expect(stderr).toMatch(/\nhint: run it as root/);
    },
  );

  it.each([drops, ['debug', 'events', '--duration', '200ms'], ['debug', 'record', '--duration', '1s', '-o', '/tmp/x']])(
    'is told what perf itself refuses, by %s %s',
    (...words) => {
      const via = words.includes('record') ? [] : ['--via', 'perf'];
      const { status, stderr } = asNobody([...words, ...via], 'dac_read_search');
      expect(status).toBe(4);
      expect(stderr).toMatch(/perf: it needs CAP_PERFMON: [A-Z].{20}.*\)\n/);
    },
  );
});

describe('root without capabilities', () => {
  it.each([
    ['bpftrace', 'CAP_SYS_ADMIN'],
    ['perf', 'CAP_PERFMON'],
  ])('is told by --via %s that %s is missing', (via, missing) => {
    const wrapper = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--'];
    const { status, stderr } = xdpctl([...drops, '--via', via], { wrapper });
    expect(status).toBe(4);
    expect(stderr).toContain(missing);
  });
});

describe('somebody with no more than the rights to count', () => {
  it('is told that names take more', () => {
    const { status, stderr, stdout } = asNobody(drops, 'bpf', 'perfmon');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^warning: .*CAP_SYS_ADMIN/);
    expect(stdout).toContain('builtin');
  });
});
