import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  decodeCpumapConfig,
  decodeEgressConfig,
  decodeRedirectConfig,
  type EgressConfig,
  encodeCpumapConfig,
  encodeEgressConfig,
  encodeRedirectConfig,
  MAX_SPREAD_CPUS,
  type MissAction,
  missActions,
} from '../../src/domain/redirect-config.ts';

const onMiss = fc.constantFrom(...(Object.keys(missActions) as MissAction[]));
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'));

describe('the read-only data of our programs', () => {
  it('of those that redirect by a key is read back as it was written', () => {
    const key = fc.oneof(fc.constantFrom('ingress' as const, 'queue' as const), fc.record({ fixed: u32 }));
    const config = fc.record({ onMiss, key, broadcast: fc.boolean(), excludeIngress: fc.boolean() });
    fc.assert(
      fc.property(config, (each) => {
        const bytes = encodeRedirectConfig(each);
        expect(bytes).toHaveLength(16);
        expect(decodeRedirectConfig(bytes)).toEqual(each);
      }),
    );
  });

  it('of the one that spreads over CPUs is read back as it was written', () => {
    const cpus = fc.uniqueArray(fc.integer({ min: 0, max: 8191 }), { minLength: 1, maxLength: MAX_SPREAD_CPUS });
    fc.assert(
      fc.property(fc.record({ onMiss, cpus }), (config) => {
        const bytes = encodeCpumapConfig(config);
        expect(bytes).toHaveLength(4112);
        expect(decodeCpumapConfig(bytes)).toEqual(config);
      }),
      { numRuns: 20 },
    );
  });

  it('may say nonsense where somebody else has written it', () => {
    const bytes = new Uint8Array(4112).fill(0xff);
    expect(decodeCpumapConfig(bytes).cpus).toHaveLength(MAX_SPREAD_CPUS);
    expect(decodeRedirectConfig(bytes)).toMatchObject({ key: { fixed: 0xffff_ffff } });
  });

  it('of those in entries is read back as it was written', () => {
    const config = fc.record(
      { action: fc.constantFrom('pass' as const, 'drop' as const), dstMac: mac, srcMac: mac },
      { requiredKeys: ['action'] },
    );
    fc.assert(
      fc.property(config, (each: EgressConfig) => {
        const bytes = encodeEgressConfig(each, 'devmap');
        expect(bytes).toHaveLength(20);
        expect(decodeEgressConfig(bytes)).toEqual(each);
      }),
    );
    expect(decodeEgressConfig(encodeEgressConfig({ action: 'drop' }, 'cpumap'))).toEqual({ action: 'drop' });
  });

  it('has each field where the C source has it', () => {
    expect([
      ...encodeRedirectConfig({ onMiss: 'tx', key: { fixed: 0x01020304 }, broadcast: true, excludeIngress: true }),
    ]).toEqual([27, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4, 3, 2, 1]);
    expect([...encodeCpumapConfig({ onMiss: 'pass', cpus: [5, 258] }).subarray(0, 28)]).toEqual([
      2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0,
    ]);
    expect([...encodeEgressConfig({ action: 'drop', srcMac: '01:02:03:04:05:06' }, 'devmap')]).toEqual([
      1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0,
    ]);
  });
});
