import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { planCounting } from '../../src/tracing/counting-row.ts';
import {
  bpftraceArguments,
  bpftraceCommandText,
  bpftraceEnvironment,
  bpftraceMapKeys,
  bpftraceProgram,
  perfCommandText,
  perfEventArguments,
} from '../../src/tracing/recipes.ts';
import { recordedEvents, withoutFields } from './recorded.ts';

const quiet = { arrow: true, tickMilliseconds: 1000, printAtTick: false };

describe('the plan', () => {
  it('has all rows but the one that Linux 6.17 removed', () => {
    const plan = planCounting(recordedEvents());
    expect(plan.missing).toEqual(['redirect_map_err']);
    expect(plan.rows.map(({ name }) => name)).toEqual([
      'redirect_err',
      'exception',
      'devmap_xmit',
      'cpumap_enqueue',
      'cpumap_kthread_drops',
      'cpumap_kthread_xdp_drop',
      'bulk_tx',
    ]);
  });

  it('does without what another kernel does not have', () => {
    const events = withoutFields(recordedEvents(), { xdp_cpumap_kthread: ['xdp_drop'], xdp_bulk_tx: 'all' });
    expect(planCounting(events).missing).toEqual(['redirect_map_err', 'cpumap_kthread_xdp_drop', 'bulk_tx']);
    expect(bpftraceProgram(planCounting(events), quiet)).not.toMatch(/xdp_drop|bulk_tx/);
  });

  it('takes the fields that only an older kernel has', () => {
    const events = new Map(recordedEvents());
    const old = events.get('xdp_redirect_err')!;
    events.set('xdp_devmap_xmit', {
      ...events.get('xdp_devmap_xmit')!,
      fields: new Map([...events.get('xdp_devmap_xmit')!.fields, ...old.fields]),
    });
    events.set('xdp_redirect_map_err', { ...old, name: 'xdp_redirect_map_err' });
    const program = bpftraceProgram(planCounting(events), quiet);
    expect(program).toContain('$to_ifindex, -$err, $map_id, $map_index] = sum($drops)');
    expect(program).toContain('tracepoint:xdp:xdp_redirect_map_err { $ifindex');
  });

  it.each([-1, 2 ** 32, 1.5, Number.NaN, '1; exit()' as unknown as number])('refuses %j in a filter', (id) => {
    expect(() => planCounting(recordedEvents(), { ifindexes: [id] })).toThrow(TypeError);
    expect(() => planCounting(recordedEvents(), { progIds: [1, id] })).toThrow(TypeError);
    expect(() => planCounting(recordedEvents(), { mapIds: [id] })).toThrow(TypeError);
  });
});

describe('the bpftrace program', () => {
  it('is the recipe of this kernel, reading each field once', () => {
    expect(bpftraceProgram(planCounting(recordedEvents()), quiet)).toBe(
      [
        'BEGIN { printf("ready\\n"); }',
        'tracepoint:xdp:xdp_redirect_err { $ifindex = args->ifindex; $prog_id = args->prog_id; $map_id = args->map_id; ' +
          '$map_index = args->map_index; $to_ifindex = args->to_ifindex; $err = args->err; ' +
          '@redirect_err[$ifindex, $prog_id, $map_id, $map_index, $to_ifindex, -$err] = count(); }',
        'tracepoint:xdp:xdp_exception { $ifindex = args->ifindex; $prog_id = args->prog_id; $act = args->act; ' +
          '@exception[$ifindex, $prog_id, $act] = count(); }',
        'tracepoint:xdp:xdp_devmap_xmit { $from_ifindex = args->from_ifindex; $to_ifindex = args->to_ifindex; ' +
          '$err = args->err; $drops = args->drops; ' +
          'if ($drops > 0) { @devmap_xmit[$from_ifindex, $to_ifindex, -$err] = sum($drops); } }',
        'tracepoint:xdp:xdp_cpumap_enqueue { $map_id = args->map_id; $cpu = args->cpu; $to_cpu = args->to_cpu; ' +
          '$drops = args->drops; if ($drops > 0) { @cpumap_enqueue[$map_id, $cpu, $to_cpu] = sum($drops); } }',
        'tracepoint:xdp:xdp_cpumap_kthread { $map_id = args->map_id; $cpu = args->cpu; $drops = args->drops; ' +
          'if ($drops > 0) { @cpumap_kthread_drops[$map_id, $cpu] = sum($drops); } }',
        'tracepoint:xdp:xdp_cpumap_kthread { $map_id = args->map_id; $cpu = args->cpu; $xdp_drop = args->xdp_drop; ' +
          'if ($xdp_drop > 0) { @cpumap_kthread_xdp_drop[$map_id, $cpu] = sum($xdp_drop); } }',
        'tracepoint:xdp:xdp_bulk_tx { $ifindex = args->ifindex; $err = args->err; $drops = args->drops; ' +
          'if ($drops > 0) { @bulk_tx[$ifindex, -$err] = sum($drops); } }',
        'interval:ms:1000 { printf("tick\\n"); }',
        'END { printf("end\\n"); }',
      ].join('\n'),
    );
  });

  it('filters in the kernel by what each event carries', () => {
    const plan = planCounting(recordedEvents(), { ifindexes: [4, 5], progIds: [116], mapIds: [33] });
    const program = bpftraceProgram(plan, { ...quiet, arrow: false });
    expect(program).toContain('$ifindex = args.ifindex;');
    expect(program).toContain(
      'if (($ifindex == 4 || $ifindex == 5 || $to_ifindex == 4 || $to_ifindex == 5) && ($prog_id == 116) && ' +
        '($map_id == 33 || $map_id == 2147483647 || $map_id == 0)) { @redirect_err',
    );
    expect(program).toContain('if (($ifindex == 4 || $ifindex == 5) && ($prog_id == 116)) { @exception');
    expect(program).toContain('if (($drops > 0) && ($ifindex == 4 || $ifindex == 5)) { @bulk_tx');
    expect(program).toContain(
      'if (($drops > 0) && ($map_id == 33 || $map_id == 2147483647 || $map_id == 0)) { @cpumap',
    );
  });

  it('leaves very long filters to the ledger', () => {
    const ids = Array.from({ length: 51 }, (_, index) => index + 1);
    const program = bpftraceProgram(planCounting(recordedEvents(), { ifindexes: ids }), quiet);
    expect(program).toMatch(/xdp_redirect_err [^\n]*-\$err\] = count\(\); }/);
    expect(program).not.toMatch(/xdp_redirect_err [^\n]*==/);
    expect(program).toMatch(/xdp_bulk_tx [^\n]*\$ifindex == 51/);
  });

  it('prints its maps at each tick when it is told to, and only then', () => {
    const program = bpftraceProgram(planCounting(recordedEvents()), {
      ...quiet,
      printAtTick: true,
      tickMilliseconds: 250,
    });
    expect(program).toContain('interval:ms:250 { print(@redirect_err); print(@exception);');
  });

  it('consists of nothing but our own words and numbers', () => {
    const ids = fc.array(fc.nat({ max: 0xffff_ffff }), { maxLength: 3 });
    fc.assert(
      fc.property(ids, ids, ids, (ifindexes, progIds, mapIds) => {
        const program = bpftraceProgram(planCounting(recordedEvents(), { ifindexes, progIds, mapIds }), quiet);
        expect(program).toMatch(/^[\w\s@$:(){}[\]/=&|<>,.;\\"-]*$/);
        for (const id of [...ifindexes, ...progIds, ...mapIds]) expect(program).toContain(`== ${id}`);
      }),
    );
  });
});

describe('the perf events', () => {
  it('are those of this kernel, each with a filter the kernel applies', () => {
    const plan = planCounting(recordedEvents(), { ifindexes: [4] });
    expect(
      perfEventArguments(plan)
        .join(' ')
        .split(/ (?=-e)/),
    ).toEqual([
      '-e xdp:xdp_redirect_err --filter ifindex == 4 || to_ifindex == 4',
      '-e xdp:xdp_exception --filter ifindex == 4',
      '-e xdp:xdp_devmap_xmit --filter (drops > 0) && (from_ifindex == 4 || to_ifindex == 4)',
      '-e xdp:xdp_cpumap_enqueue --filter drops > 0',
      '-e xdp:xdp_cpumap_kthread --filter drops > 0 || xdp_drop > 0',
      '-e xdp:xdp_bulk_tx --filter (drops > 0) && (ifindex == 4)',
    ]);
  });
});

describe('the commands to copy', () => {
  it('are quoted for the shell', () => {
    const plan = planCounting(recordedEvents());
    expect(bpftraceCommandText(plan, { arrow: true, mapKeys: 16_384 })).toMatch(
      /^env BPFTRACE_MAP_KEYS_MAX=16384 BPFTRACE_MAX_MAP_KEYS=16384 bpftrace -e 'BEGIN [^']*\ntracepoint:[^']*'$/s,
    );
    expect(bpftraceCommandText(plan, { arrow: true, mapKeys: 16_384 })).toContain(
      'printf("@exception[ifindex, prog_id, act]: frames\\n");',
    );
    expect(perfCommandText(plan)).toMatch(
      /^perf record -q -a -o - -e xdp:xdp_redirect_err .*--filter 'drops > 0' .*\| perf script -i - -F trace:cpu,event,trace$/,
    );
  });

  it('end by themselves when they are to', () => {
    const plan = planCounting(recordedEvents());
    expect(bpftraceCommandText(plan, { arrow: true, mapKeys: 16_384 }, 1500)).toMatch(
      /\ninterval:ms:1500 \{ exit\(\); \}'$/,
    );
    expect(perfCommandText(plan, 1500)).toContain(' -- sleep 1.5 | perf script ');
  });
});

describe('how bpftrace is run', () => {
  it('with unbuffered JSON, and room for more than its 4,096 keys', () => {
    expect(bpftraceArguments('x', '/bin/cat')).toEqual(['-f', 'json', '-B', 'none', '-c', '/bin/cat', '-e', 'x']);
    expect(bpftraceEnvironment(9)).toEqual({ BPFTRACE_MAP_KEYS_MAX: '9', BPFTRACE_MAX_MAP_KEYS: '9' });
    expect(bpftraceEnvironment(9, '/btf')).toMatchObject({ BPFTRACE_BTF: '/btf' });
    expect(bpftraceMapKeys(2)).toBe(16_384);
    expect(bpftraceMapKeys(256)).toBe(4096);
  });
});
