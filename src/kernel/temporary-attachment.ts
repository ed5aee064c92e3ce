import { KernelRefusal } from '../domain/errors.ts';
import { EINVAL } from './check.ts';
import type { BpfProgram } from './program.ts';
import { attachXdp, detachXdp, type XdpMode } from './xdp-attachment.ts';
import { XdpLink } from './xdp-link.ts';

/**
 * A program on a device for as long as this object lives: where there are BPF links (Linux 5.9), the kernel takes it off
 * when the process dies, however it dies.
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
    try {
      const link = XdpLink.create(ifindex, program.fd, mode);
      return new TemporaryAttachment(() => link[Symbol.dispose]());
    } catch (error) {
      const without = error instanceof KernelRefusal && error.operation === 'xdp link' && error.errno === EINVAL;
      if (!without) throw error;
    }
    attachXdp(ifindex, program.fd, mode);
    return new TemporaryAttachment(() => detachXdp(ifindex, mode, program.fd));
  }

  /** Takes the program off. */
  [Symbol.dispose](): void {
    this.#undo?.();
    this.#undo = undefined;
  }
}
