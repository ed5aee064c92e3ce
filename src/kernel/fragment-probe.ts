import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { encodeInteger } from '../domain/integer.ts';
import { kernelFeatures } from '../domain/kernel-feature.ts';
import { mapTypeNumber } from '../domain/map-type.ts';
import { PROG_TYPE_XDP } from '../domain/program-info.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { check, EINVAL } from './check.ts';
import { Fd } from './fd.ts';
import { hasFeature } from './kernel-features.ts';
import { BPF_ANY, BpfMap } from './map.ts';
import { BpfProgram } from './program.ts';

/** BPF_F_XDP_HAS_FRAGS (linux/bpf.h): the program takes frames of several buffers. */
export const BPF_F_XDP_HAS_FRAGS = 1 << 5;

/** enum bpf_attach_type (linux/bpf.h). */
const attachTypes = { device: 37, devmap: 33, cpumap: 35 } as const;

/** r0 = XDP_PASS; exit. */
const instructions = new Uint8Array([0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

let known: boolean | undefined;

/** Whether the kernel knows frames of several buffers; distributions have brought them into kernels before 5.18 as well. */
export function knowsFragments(): boolean {
  known ??= hasFeature(kernelFeatures.fragments) || loadsAware();
  return known;
}

function loadsAware(): boolean {
  try {
    using _program = loadTiny(attachTypes.device, true);
    return true;
  } catch (error) {
    if (error instanceof KernelRefusal) return false;
    throw error;
  }
}

/**
 * Finds out whether XDP programs take frames of several buffers, which the kernel tells nobody: an array of programs that
 * was made for the purpose takes only programs that are like its first one in this (bpf_prog_map_compatible,
 * kernel/bpf/core.c). No map of anybody else's is touched.
 */
export class FragmentProbe implements Disposable {
  readonly #arrays: { readonly map: BpfMap; readonly fragments: boolean }[] = [];

  /** Undefined where it cannot be told: a kernel before 5.18, rights missing, or a program that is gone. */
  takesFragments(id: number): boolean | undefined {
    try {
      this.#prepare();
      using program = BpfProgram.byId(id);
      return this.#arrays.find(({ map }) => accepts(map, program.fd))?.fragments;
    } catch (error) {
      if (error instanceof KernelRefusal) return undefined;
      throw error;
    }
  }

  /** One array for each kind of program: newer kernels also compare what a program was loaded for. */
  #prepare(): void {
    if (this.#arrays.length > 0) return;
    for (const attachType of Object.values(attachTypes)) {
      for (const fragments of [true, false]) {
        const map = BpfMap.create({
          type: mapTypeNumber('prog_array') ?? 0,
          name: 'xdpctl_scratch',
          keySize: 4,
          valueSize: 4,
          maxEntries: 2,
          flags: 0,
        });
        this.#arrays.push({ map, fragments });
        using first = loadTiny(attachType, fragments);
        map.update(encodeInteger(0, 4), encodeInteger(first.number, 4), BPF_ANY);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const { map } of this.#arrays) map[Symbol.dispose]();
  }
}

function accepts(map: BpfMap, program: number): boolean {
  const result = map.tryUpdate(encodeInteger(1, 4), encodeInteger(program, 4), BPF_ANY);
  if (result === -EINVAL) return false;
  check(result, 'map update', map.facts());
  return true;
}

/** struct bpf_prog_load_opts (bpf/bpf.h) up to prog_flags. */
function loadTiny(attachType: number, fragments: boolean): Fd {
  const options = new Uint8Array(24);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, BigInt(options.length), littleEndian);
  view.setUint32(12, attachType, littleEndian);
  view.setUint32(20, fragments ? BPF_F_XDP_HAS_FRAGS : 0, littleEndian);
  const fd = libbpf.bpf_prog_load(PROG_TYPE_XDP, 'xdpctl_scratch', 'GPL', instructions, 2, options);
  return new Fd(check(fd, 'prog load'));
}
