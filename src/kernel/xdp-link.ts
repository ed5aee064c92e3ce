import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { EINVAL } from './check.ts';
import { Fd } from './fd.ts';
import type { BpfProgram } from './program.ts';
import { attachXdp, detachXdp, type XdpMode } from './xdp-attachment.ts';

/** enum bpf_attach_type (linux/bpf.h). */
const BPF_XDP = 37;
/** XDP_FLAGS_* (linux/if_link.h). */
const modeFlags: Readonly<Record<XdpMode, number>> = { generic: 1 << 1, native: 1 << 2, offload: 1 << 3 };

/**
 * A program on a device for as long as this object lives: the kernel takes it off when the process dies, however it dies
 * (a BPF link, Linux 5.9).
 */
export class TemporaryAttachment implements Disposable {
  #undo: (() => void) | undefined;

  private constructor(undo: () => void) {
    this.#undo = undo;
  }

  /**
   * Attaches the program where none is attached.
   *
   * @throws KernelRefusal `xdp attach`, with the kernel's own explanation
   */
  static attach(ifindex: number, program: BpfProgram, mode: XdpMode): TemporaryAttachment {
    // struct bpf_link_create_opts (bpf/bpf.h) up to flags.
    const options = new Uint8Array(16);
    const view = new DataView(options.buffer);
    view.setBigUint64(0, BigInt(options.length), littleEndian);
    view.setUint32(8, modeFlags[mode], littleEndian);
    const result = libbpf.bpf_link_create(program.fd, ifindex, BPF_XDP, options);
    if (result >= 0) {
      const fd = new Fd(result);
      return new TemporaryAttachment(() => fd[Symbol.dispose]());
    }
    // A refused link brings no words of the driver with it. netlink does; and before 5.9 it is the only way.
    attachXdp(ifindex, program.fd, mode);
    if (result !== -EINVAL) {
      detachXdp(ifindex, mode, program.fd);
      throw new KernelRefusal('xdp attach', -result, { ifindex, mode });
    }
    return new TemporaryAttachment(() => detachXdp(ifindex, mode, program.fd));
  }

  /** Takes the program off. */
  [Symbol.dispose](): void {
    this.#undo?.();
    this.#undo = undefined;
  }
}
