import { describe, expect, it } from 'vitest';

import { linesBeforeVerdict, loadFailure } from '../../src/domain/load-log.ts';

describe('linesBeforeVerdict', () => {
  const log = `prog 'p': BPF program load failed: Permission denied
prog 'p': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
; return *(int *)0;
0: (b7) r1 = 0
1: (61) r0 = *(u32 *)(r1 +0)
R1 invalid mem access 'scalar'
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --`;

  it('tells where the verifier was', () => {
    expect(linesBeforeVerdict(log, 2)).toEqual(['0: (b7) r1 = 0', '1: (61) r0 = *(u32 *)(r1 +0)']);
    expect(linesBeforeVerdict(log, 9)).toHaveLength(4);
    expect(linesBeforeVerdict('no log', 2)).toEqual([]);
  });
});

describe('loadFailure', () => {
  it("finds the verifier's verdict above its figures", () => {
    const log = `prog 'redirect': BPF program load failed: Invalid argument
prog 'redirect': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
15: (85) call bpf_redirect_map#51
cannot pass map_type 2 into func bpf_redirect_map#51
processed 10 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
prog 'redirect': failed to load: -22
failed to load object '/x/redirect_devmap.bpf.o'`;
    expect(loadFailure(log)).toEqual({
      program: 'redirect',
      reason: 'cannot pass map_type 2 into func bpf_redirect_map#51',
    });
  });

  it('knows a program that was refused without a word', () => {
    const log = `prog 'redirect': BPF program load failed: Invalid argument
prog 'redirect': failed to load: -22
failed to load object 'x.o'`;
    expect(loadFailure(log)).toEqual({ program: 'redirect' });
  });

  it('takes the first warning when no program was loaded', () => {
    expect(loadFailure("elf: 'x.o' is not a proper ELF object")).toEqual({
      reason: "elf: 'x.o' is not a proper ELF object",
    });
    expect(loadFailure("map 'm': failed to create: Invalid argument(-22)\nfailed to load object 'x.o'")).toEqual({
      reason: "map 'm': failed to create: Invalid argument(-22)",
    });
    expect(loadFailure('')).toEqual({});
  });

  it('does not blame types that libbpf has gone on without', () => {
    const log = `BTF loading error: -22
-- BEGIN BTF LOAD LOG ---
[13] VAR a\nb type_id=12 linkage=1 Invalid name
-- END BTF LOAD LOG --
Error loading .BTF into kernel: -22. BTF is optional, ignoring.
map 'm': failed to create: Invalid argument(-22)
failed to load object 'x.o'`;
    expect(loadFailure(log)).toEqual({ reason: "map 'm': failed to create: Invalid argument(-22)" });
  });
});
