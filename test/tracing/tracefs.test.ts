import { describe, expect, it } from 'vitest';

import { ToolError } from '../../src/domain/errors.ts';
import { readEvents } from '../../src/tracing/tracefs.ts';
import { recordedEvents, recordedTracefs } from './recorded.ts';

describe('readEvents', () => {
  it('finds the events of a group, and not its switches', () => {
    expect([...recordedEvents().keys()].toSorted()).toEqual([
      'bpf_xdp_link_attach_failed',
      'mem_connect',
      'mem_disconnect',
      'xdp_bulk_tx',
      'xdp_cpumap_enqueue',
      'xdp_cpumap_kthread',
      'xdp_devmap_xmit',
      'xdp_exception',
      'xdp_redirect',
      'xdp_redirect_err',
    ]);
  });

  it('says which kernels have the group when this one does not', () => {
    let error: unknown;
    try {
      readEvents(recordedTracefs, 'nonesuch');
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ToolError);
    expect(error).toMatchObject({ kind: 'unsupported', message: 'this kernel has no nonesuch tracepoints' });
  });
});
