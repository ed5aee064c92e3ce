import { describe, expect, it } from 'vitest';

import { type DropsReport, reportText } from '../../../src/cli/debug/drops-report.ts';
import { intervalText } from '../../../src/cli/debug/interval-report.ts';
import { LossHistory } from '../../../src/cli/debug/loss-history.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import { plain } from '../../../src/output/color.ts';

const down: Finding = {
  code: 'target-down',
  certainty: 'certain',
  count: 30,
  event: 'xdp_redirect_err',
  errno: 100,
  errnoName: 'ENETDOWN',
  from: { ifindex: 4, ifname: 'r0' },
  to: { ifindex: 5, ifname: 'r1', netns: 'R' },
  prog: { id: 7, name: 'sorter', role: 'cpumap' },
  map: { id: 8, name: 'targets' },
  key: 0,
  explanation: 'r1 is administratively down',
  fix: 'ip link set dev r1 up',
};
const dropped: Finding = {
  code: 'cpumap-program-drop',
  certainty: 'likely',
  count: 2,
  event: 'xdp_cpumap_kthread',
  explanation: 'the program did not pass the frames on',
};

function report(findings: readonly Finding[]): DropsReport {
  const total = findings.reduce((sum, { count }) => sum + count, 0);
  const more = { duration_s: 1.5, events: [], blind: ['nothing in the dark'] };
  return { backend: 'perf', kernel: '6.1.0', totals: { dropped: total }, findings, ...more };
}

describe('the report of debug drops', () => {
  it('says what to type, and where nothing mends it what says more', () => {
    expect(reportText(report([down, dropped]), plain)).toBe(
      [
        '32 frames lost in 1.5 s (perf, Linux 6.1.0)',
        '',
        '      30  target-down (certain)  r0 -> r1 (netns R)',
        '          r1 is administratively down',
        '          map targets (8), key 0, cpumap program sorter (7), ENETDOWN',
        '          fix: ip link set dev r1 up',
        '',
        '       2  cpumap-program-drop (likely)',
        '          the program did not pass the frames on',
        '          see: xdpctl debug explain cpumap-program-drop',
        '',
      ].join('\n'),
    );
  });

  it('says what could not be seen where nothing was, and what was missed', () => {
    expect(reportText(report([]), plain)).toMatch(
      /^no lost frames seen .*\n\ncannot be seen this way:\n {2}- nothing in/,
    );
    const missed = { ...report([down]), undercount: ['perf lost 5 events'] };
    expect(reportText(missed, plain)).toMatch(/\nthe counts may be too low:\n {2}- perf lost 5 events\n$/);
  });

  it('explains in an interval what is new, and only counts what is not', () => {
    const history = new LossHistory();
    const interval = { interval: 1, time_s: 1, interval_s: 1, totals: { dropped: 30 }, findings: [down] };
    expect(intervalText(interval, history)(plain)).toMatch(
      /r0 -> r1.*\n.*certain: r1 is.*\n.*fix: ip link set dev r1 up\n$/,
    );
    history.add([down], 1);
    expect(intervalText(interval, history)(plain).split('\n')).toHaveLength(3);
    expect(intervalText({ ...interval, totals: { dropped: 0 }, findings: [] }, history)(plain)).toBe(
      '    1.0 s  nothing lost\n',
    );
  });
});
