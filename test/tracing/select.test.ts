import { describe, expect, it } from 'vitest';

import { ToolError } from '../../src/domain/errors.ts';
import {
  BackendFailure,
  type BackendName,
  type TraceRequest,
  type TraceSession,
  type TracingBackend,
} from '../../src/tracing/backend.ts';
import { countingCommand, startTracing, viaWords } from '../../src/tracing/select.ts';
import { recordedEvents } from './recorded.ts';

const request: TraceRequest = { filter: {}, events: recordedEvents };

/** A backend that starts, or fails as told. */
function backend(name: BackendName, failure?: BackendFailure['kind'] | Error): TracingBackend {
  return {
    name,
    async start(): Promise<TraceSession> {
      if (failure instanceof Error) throw failure;
      if (failure !== undefined) throw new BackendFailure(name, failure, `it is ${failure}`);
      return { backend: name } as TraceSession;
    },
    commandText: async () => name,
  };
}

async function errorOf(backends: TracingBackend[], via: BackendName | 'auto' = 'auto'): Promise<ToolError> {
  try {
    await startTracing(via, request, () => {}, {}, backends);
  } catch (error) {
    if (error instanceof ToolError) return error;
    throw error;
  }
  throw new Error('it started');
}

describe('startTracing', () => {
  it('takes the first backend that works, and tells why the others do not', async () => {
    const skipped: string[] = [];
    const backends = [backend('bpftrace', 'too-old'), backend('perf')];
    const session = await startTracing('auto', request, (failure) => skipped.push(failure.message), {}, backends);
    expect(session.backend).toBe('perf');
    expect(skipped).toEqual(['it is too-old']);
  });

  it('takes the one that was asked for, and no other', async () => {
    const backends = [backend('bpftrace'), backend('perf')];
    expect((await startTracing('perf', request, () => {}, {}, backends)).backend).toBe('perf');
    const error = await errorOf([backend('bpftrace', 'failed'), backend('perf')], 'bpftrace');
    expect(error).toMatchObject({ kind: 'unsupported', message: 'cannot trace with bpftrace: it is failed' });
    expect(error.hint).toBeUndefined();
  });

  it('names the packages when nothing is installed', async () => {
    const error = await errorOf([backend('bpftrace', 'missing'), backend('perf', 'missing')]);
    expect(error).toMatchObject({
      kind: 'unsupported',
      message: 'no tracer works here (bpftrace: it is missing; perf: it is missing)',
    });
    for (const words of ['apt install bpftrace', 'dnf install', 'apk add', 'pacman -S', 'apt install linux-perf']) {
      expect(error.hint).toContain(words);
    }
  });

  it('tells a reason once that both ways of a backend have', async () => {
    const error = await errorOf([backend('builtin', 'failed'), backend('builtin', 'failed')], 'builtin');
    expect(error).toMatchObject({ kind: 'unsupported', message: 'cannot trace with builtin: it is failed' });
  });

  it('is a matter of permission when one was refused', async () => {
    const error = await errorOf([backend('bpftrace', 'permission'), backend('perf', 'missing')]);
    expect(error.kind).toBe('permission');
    expect(error.hint).toMatch(/^run it as root/);
  });

  it('is no lack of this machine when each was refused for a reason that may be over soon', async () => {
    expect(await errorOf([backend('perf', 'refused')], 'perf')).toMatchObject({ kind: 'refused' });
    expect(await errorOf([backend('bpftrace', 'missing'), backend('perf', 'refused')])).toMatchObject({
      kind: 'unsupported',
    });
  });

  it('tries the other way of the backend that was asked for without a word', async () => {
    const skipped: string[] = [];
    const backends = [backend('builtin', 'failed'), backend('bpftrace'), backend('builtin')];
    const onSkipped = ({ message }: Error): void => void skipped.push(message);
    expect((await startTracing('builtin', request, onSkipped, {}, backends)).backend).toBe('builtin');
    expect(skipped).toEqual([]);
    expect((await startTracing('auto', request, onSkipped, {}, backends)).backend).toBe('bpftrace');
    expect(skipped).toEqual(['it is failed']);
  });

  it('gives each backend the limit that is good for it, but for one that was asked for', async () => {
    const limits: unknown[] = [];
    const asking: TracingBackend = {
      ...backend('perf'),
      async start({ maxRate }): Promise<TraceSession> {
        limits.push(maxRate);
        return { backend: 'perf' } as TraceSession;
      },
    };
    await startTracing('perf', request, () => {}, { perf: 5, bpftrace: 6 }, [asking]);
    await startTracing('perf', { ...request, maxRate: 7 }, () => {}, { perf: 5 }, [asking]);
    expect(limits).toEqual([5, 7]);
  });

  it('does not go on after an error that is no failure of a backend', async () => {
    const stop = new Error('SIGINT');
    await expect(
      startTracing('auto', request, () => {}, {}, [backend('bpftrace', stop), backend('perf')]),
    ).rejects.toBe(stop);
  });
});

describe('--via', () => {
  it('takes auto and the names of the backends, each once', () => {
    expect(viaWords).toEqual(['auto', 'builtin', 'bpftrace', 'perf']);
  });

  it('gives the command of the tool asked for, of bpftrace for what has none', async () => {
    expect(await countingCommand('perf', request)).toMatchObject({ backend: 'perf' });
    for (const via of ['auto', 'builtin', 'bpftrace'] as const) {
      expect(await countingCommand(via, request)).toMatchObject({ backend: 'bpftrace' });
    }
  });
});
