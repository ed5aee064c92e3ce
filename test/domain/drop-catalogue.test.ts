import { describe, expect, it } from 'vitest';

import { causesOfErrno, dropCatalogue, dropCause, dropCodes, isDropCode } from '../../src/domain/drop-catalogue.ts';
import { errnoNumber } from '../../src/domain/errno.ts';
import { parseKernelVersion } from '../../src/domain/kernel-version.ts';

describe('the drop catalogue', () => {
  it('has every code that scripts rely on, once', () => {
    expect([...dropCodes].toSorted()).toEqual(
      [
        'map-miss',
        'program-aborted',
        'unknown-action',
        'no-redirect-call',
        'stale-target',
        'no-such-interface',
        'no-headroom',
        'target-no-xmit',
        'target-no-sg',
        'target-down',
        'target-no-carrier',
        'frame-exceeds-mtu',
        'peer-mtu',
        'tx-ring-full',
        'egress-program-drop',
        'egress-program-bad-action',
        'broadcast-no-target',
        'cpumap-full',
        'cpumap-program-drop',
        'cpumap-alloc-failed',
        'xsk-unbound',
        'xsk-wrong-queue',
        'xsk-fill-ring-empty',
        'xsk-rx-ring-full',
        'xsk-frame-too-large',
        'tx-hairpin-failed',
        'tx-queue-stopped',
        'delivered-bad-checksum',
        'delivered-other-host',
        'unknown',
      ].toSorted(),
    );
  });

  it.each(dropCatalogue.map((cause) => [cause.code, cause] as const))('%s is complete', (code, cause) => {
    expect(dropCause(code)).toBe(cause);
    expect(isDropCode(code)).toBe(true);
    expect(cause.summary).not.toMatch(/\.$/);
    expect(cause.explanation).toMatch(/\.$/);
    expect(cause.fix).not.toBe('');
    if (code === 'unknown') return;
    expect(cause.signals).not.toHaveLength(0);
    expect(cause.functions).not.toHaveLength(0);
    for (const name of cause.functions) expect(name).toMatch(/^[a-z_][a-z0-9_]+$/);
  });

  it('speaks only of errnos and kernel versions that exist', () => {
    const signals = dropCatalogue.flatMap((cause) => cause.signals);
    const errnos = signals.flatMap(({ errno }) => (errno === undefined || errno === '0' ? [] : [errno]));
    const versions = signals.flatMap(({ since, before }) => [since ?? [], before ?? []].flat());
    expect(errnos.filter((name) => errnoNumber(name) === undefined)).toEqual([]);
    expect(versions.filter((version) => parseKernelVersion(version) === undefined)).toEqual([]);
  });

  it('finds the causes behind an errno', () => {
    expect(causesOfErrno('EMSGSIZE').map((cause) => cause.code)).toEqual(['frame-exceeds-mtu']);
    expect(causesOfErrno('ENXIO').map((cause) => cause.code)).toEqual([
      'target-no-xmit',
      'target-no-carrier',
      'xsk-unbound',
    ]);
    expect(causesOfErrno('EPERM')).toEqual([]);
  });

  it('does not take other words for codes', () => {
    expect(isDropCode('map-missing')).toBe(false);
    expect(isDropCode('')).toBe(false);
  });
});
