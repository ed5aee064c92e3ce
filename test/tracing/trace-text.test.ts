import { describe, expect, it } from 'vitest';

import { numberIn, parseTraceText, TraceText } from '../../src/tracing/trace-text.ts';

/** As Linux 6.18 and 5.10 wrote it. */
const recorded = `\
           <...>-6333    [000] ...1.  3862.093919: tracing_mark_write: hello
            node-6333    [000] b..1.  3862.093999: xdp_redirect: prog_id=24627 action=REDIRECT ifindex=2 to_ifindex=3 err=0 map_id=81747 map_index=2
            node-6333    [000] b..1.  3862.094001: xdp_redirect_err: prog_id=24627 action=REDIRECT ifindex=2 to_ifindex=3 err=-90 map_id=81747 map_index=2
CPU:1 [LOST 12 EVENTS]
            node-6333    [001] ..s1.  3862.094005: netif_receive_skb: dev=d0 skbaddr=00000000ab len=46
     my prog-1-2-77      [012] d.h2   100.000001: xdp_exception: prog_id=5 action=ABORTED ifindex=7
  cpumap/1/map:3-812     (-------) [001] ...1   100.000002: xdp_cpumap_kthread: kthread cpu=1 map_id=3 action=REDIRECT processed=8 drops=0 sched=0 xdp_pass=8 xdp_drop=0 xdp_redirect=0
CPU:0 [LOST EVENTS]
# tracer: nop
`;

describe('parseTraceText', () => {
  it('reads events, in an interrupt or not, and what was lost', () => {
    const state = new TraceText();
    const lines = parseTraceText(state, recorded);
    expect(lines.map(({ event, thread }) => [event, thread])).toEqual([
      ['tracing_mark_write', 6333],
      ['xdp_redirect', 6333],
      ['xdp_redirect_err', 6333],
      ['netif_receive_skb', 6333],
      ['xdp_exception', 77],
      ['xdp_cpumap_kthread', 812],
    ]);
    expect(state.lost).toBe(13);
  });

  it('reads the same in whatever pieces it comes', () => {
    const whole = parseTraceText(new TraceText(), recorded);
    for (const length of [1, 7, 100]) {
      const state = new TraceText();
      const pieces = Array.from({ length: Math.ceil(recorded.length / length) }, (_, index) =>
        recorded.slice(index * length, (index + 1) * length),
      );
      expect(pieces.flatMap((piece) => parseTraceText(state, piece))).toEqual(whole);
      expect(state.lost).toBe(13);
    }
  });
});

describe('numberIn', () => {
  it('finds the number of a name that is whole', () => {
    const [, , line] = parseTraceText(new TraceText(), recorded);
    expect(
      ['prog_id', 'ifindex', 'to_ifindex', 'err', 'map_index', 'index'].map((name) => numberIn(line!, name)),
    ).toEqual([24_627, 2, 3, -90, 2, undefined]);
  });
});
