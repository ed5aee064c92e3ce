import { describe, expect, it } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { explain } from '../../src/domain/explain.ts';

const surroundings = { capabilities: new Set(['CAP_SYS_ADMIN']), kernelRelease: '6.18.0' };

const [EPERM, EBUSY, EEXIST, EINVAL, ENOSPC, EOPNOTSUPP, EAFNOSUPPORT, ENOBUFS] = [1, 16, 17, 22, 28, 95, 97, 105];
const ENXIO = 6;

describe('a refused AF_XDP operation', () => {
  it.each([
    ['xsk socket', EPERM, 'permission', /CAP_NET_RAW/],
    ['xsk socket', EAFNOSUPPORT, 'unsupported', /no AF_XDP sockets/],
    ['xsk register memory', ENOBUFS, 'refused', /8192 KiB .* RLIMIT_MEMLOCK/],
    ['xsk bind', EBUSY, 'conflict', /queue 3 has an AF_XDP socket already/],
    ['xsk bind', EINVAL, 'usage', /no queue 3/],
    ['xsk bind', EOPNOTSUPP, 'unsupported', /zero-copy/],
    ['capture open', EEXIST, 'conflict', /\/tmp\/a\.pcapng exists already/],
    ['capture open', 20, 'not-found', /the directory of \/tmp\/a\.pcapng does not exist/],
    ['capture open', 30, 'refused', /\/tmp\/a\.pcapng would be on a filesystem that is read-only/],
    ['capture open', ENXIO, 'refused', /nobody reads/],
    ['capture write', ENOSPC, 'refused', /no more room for \/tmp\/a\.pcapng; it ends with the last whole frame/],
    ['xsk query', EINVAL, 'refused', /xsk query .*failed/],
  ] as const)('%s with errno %i is %s', (operation, errno, kind, message) => {
    const refusal = new KernelRefusal(operation, errno, {
      queue: 3,
      path: '/tmp/a.pcapng',
      frames: 4096,
      frameSize: 2048,
    });
    const error = explain(refusal, surroundings);
    expect(error).toMatchObject({ kind, errno, operation });
    expect(error.message).toMatch(message);
  });

  it('a write to standard output calls it by its name', () => {
    const { message } = explain(new KernelRefusal('capture write', ENOSPC, { path: '-' }), surroundings);
    expect(message).toBe('there is no more room for standard output');
  });

  // 524 is ENOTSUPP, which drivers return and no header of user space has.
  it.each([EINVAL, ENOBUFS, 524])('a bind in zero-copy mode with errno %i is the word of the driver', (errno) => {
    const refusal = new KernelRefusal('xsk bind', errno, { queue: 3, mode: 'zerocopy' });
    const error = explain(refusal, surroundings);
    expect(error).toMatchObject({ kind: 'unsupported', errno });
    expect(error.message).toMatch(/the driver of this interface refuses zero-copy on queue 3: .*[a-z0-9]/);
    expect(error.message).not.toContain('undefined');
    expect(error.hint).toContain('--copy');
  });

  it('a bind in zero-copy mode to a queue that is taken, or to a device that has gone, is no word of the driver', () => {
    const kinds = [EBUSY, 19].map(
      (errno) => explain(new KernelRefusal('xsk bind', errno, { queue: 3, mode: 'zerocopy' }), surroundings).kind,
    );
    expect(kinds).toEqual(['conflict', 'not-found']);
  });
});
