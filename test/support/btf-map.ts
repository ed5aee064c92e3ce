import { littleEndian } from '../../src/domain/byte-order.ts';
import { bindLibrary } from '../../src/ffi/koffi.ts';
import { libbpf } from '../../src/ffi/libbpf.ts';
import { Fd } from '../../src/kernel/fd.ts';
import { BpfMap } from '../../src/kernel/map.ts';

/** xdpctl itself gives no BTF to the kernel, so src/ffi has no such function. */
const loading = bindLibrary<{ bpf_btf_load(bytes: Uint8Array, size: number, options: null): number }>('libbpf.so.1', {
  bpf_btf_load: ['int', ['void *', 'size_t', 'void *']],
});

/** A map that BpfMap.create does not make: one with types. */
export interface BtfMapSpec {
  readonly btf: Uint8Array;
  /** Ids in the BTF; 0 for a data section's key. */
  readonly keyType: number;
  readonly valueType: number;
  /** 1, a hash, when absent. */
  readonly type?: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
}

/** @throws Error with the errno when the kernel refuses the BTF or the map */
export function createBtfMap(spec: BtfMapSpec): BpfMap {
  using btf = new Fd(succeeded('bpf_btf_load', loading.bpf_btf_load(spec.btf, spec.btf.length, null)));
  // struct bpf_map_create_opts of libbpf 1.0: sz, btf_fd, btf_key_type_id, btf_value_type_id, …, map_flags at 28.
  const options = new Uint8Array(48);
  const view = new DataView(options.buffer);
  view.setUint32(littleEndian ? 0 : 4, options.length, littleEndian);
  view.setUint32(8, btf.number, littleEndian);
  view.setUint32(12, spec.keyType, littleEndian);
  view.setUint32(16, spec.valueType, littleEndian);
  view.setUint32(28, spec.flags ?? 0, littleEndian);
  const { type = 1, keySize, valueSize, maxEntries } = spec;
  const fd = libbpf.bpf_map_create(type, 'typed', keySize, valueSize, maxEntries, options);
  return new BpfMap(new Fd(succeeded('bpf_map_create', fd)));
}

function succeeded(call: string, result: number): number {
  if (result < 0) throw new Error(`${call}: errno ${-result}`);
  return result;
}
