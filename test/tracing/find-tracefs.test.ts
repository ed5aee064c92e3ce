import { type StatsFs, statfsSync } from 'node:fs';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ensureTracefs, type Mount } from '../../src/tracing/tracefs.ts';

vi.mock('node:fs', async (original) => ({ ...(await original()), statfsSync: vi.fn<() => StatsFs>() }));

const TRACEFS = 0x7472_6163;
const SYSFS = 0x6265_6572;

/** What statfs() says of each place: the type of its filesystem, or an error. */
let places: Record<string, number | string>;

beforeEach(() => {
  places = { '/sys/kernel/tracing': SYSFS, '/sys/kernel/debug/tracing': 'ENOENT' };
  vi.mocked(statfsSync).mockImplementation((path) => {
    const answer = places[String(path)] ?? 'ENOENT';
    if (typeof answer === 'string') throw Object.assign(new Error(`${answer}: statfs`), { code: answer });
    return { type: answer } as StatsFs;
  });
});

describe('tracefs', () => {
  it('is used where it is mounted', () => {
    places['/sys/kernel/debug/tracing'] = TRACEFS;
    expect(ensureTracefs()).toBe('/sys/kernel/debug/tracing');
    places['/sys/kernel/tracing'] = TRACEFS;
    expect(ensureTracefs()).toBe('/sys/kernel/tracing');
  });

  it.each([
    ['EACCES', 'permission'],
    ['EPERM', 'permission'],
    ['ENOMEM', 'refused'],
    ['EIO', 'refused'],
  ])('is not mounted once more when it cannot be looked at (%s)', (code, kind) => {
    places['/sys/kernel/tracing'] = code;
    const mount = vi.fn<Mount>();
    expect(() => ensureTracefs(mount)).toThrow(
      expect.objectContaining({ kind, message: expect.stringContaining(`/sys/kernel/tracing: ${code}`) }),
    );
    expect(mount).not.toHaveBeenCalled();
  });

  // The folder of debugfs is root's alone.
  it('is not mounted, as far as a user can tell who may not look below debugfs', () => {
    places['/sys/kernel/debug/tracing'] = 'EACCES';
    expect(() => ensureTracefs()).toThrow(expect.objectContaining({ kind: 'unsupported' }));
  });

  it('is mounted when it is nowhere', () => {
    const mount = vi.fn<Mount>((_type, target) => void (places[target] = TRACEFS));
    expect(ensureTracefs(mount)).toBe('/sys/kernel/tracing');
    expect(mount).toHaveBeenCalledExactlyOnceWith('tracefs', '/sys/kernel/tracing');
  });

  it('is used when somebody else mounts it at the same time', () => {
    const mount = vi.fn<Mount>((_type, target) => {
      places[target] = TRACEFS;
      throw new Error('EBUSY');
    });
    expect(ensureTracefs(mount)).toBe('/sys/kernel/tracing');
  });

  it('that cannot be mounted is told as it is', () => {
    const refusal = new Error('EPERM');
    const mount = (): never => {
      throw refusal;
    };
    expect(() => ensureTracefs(mount)).toThrow(refusal);
  });
});
