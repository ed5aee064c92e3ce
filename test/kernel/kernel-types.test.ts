import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { KernelTypes } from '../../src/domain/btf/kernel-types.ts';
import { kernelFunctionAt } from '../../src/kernel/kernel-symbols.ts';

describe('KernelTypes', () => {
  it('reads the types of the running kernel', () => {
    const types = new KernelTypes(readFileSync('/sys/kernel/btf/vmlinux'), {
      typedefs: ['btf_trace_xdp_exception', 'btf_trace_no_such_event'],
      enums: ['xdp_action', 'no_such_enum'],
      functions: ['bpf_xdp_redirect', 'no_such_function'],
    });
    expect(types.tracepointArguments('xdp_exception')).toEqual(['pointer', 'pointer', 'number']);
    expect(types.tracepointArguments('no_such_event')).toBeUndefined();
    expect(types.enumerators('xdp_action')?.get('XDP_REDIRECT')).toBe(4);
    expect(types.enumerators('no_such_enum')).toBeUndefined();
    expect(types.hasFunction('bpf_xdp_redirect')).toBe(true);
    expect(types.hasFunction('no_such_function')).toBe(false);
  });

  it('refuses what is no BTF', () => {
    const wanted = { typedefs: [], enums: [], functions: [] };
    expect(() => new KernelTypes(new Uint8Array(100), wanted)).toThrow('no BTF');
    expect(() => new KernelTypes(readFileSync('/sys/kernel/btf/vmlinux').subarray(0, 1000), wanted)).toThrow('outside');
  });
});

describe('kernelFunctionAt', () => {
  it('finds the function that an address is in', () => {
    const line = /^([0-9a-f]+) [Tt] veth_xmit(\t\[veth\])?$/m.exec(readFileSync('/proc/kallsyms', 'latin1'));
    const start = BigInt(`0x${line?.[1]}`);
    expect(kernelFunctionAt(start)).toBe('veth_xmit');
    expect(kernelFunctionAt(start + 16n)).toBe('veth_xmit');
    expect(kernelFunctionAt(0n)).toBeUndefined();
  });
});
