import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { check, EINTR, ENOENT, ENOMEM, EPERM } from './check.ts';
import { Fd } from './fd.ts';
import { interfaceName } from './interface-names.ts';
import { type LinkInfo, readLinkInfo } from './link-info.ts';
import { openPin } from './pin.ts';
import { attachXdp, detachXdp, type XdpMode, xdpModeFlags } from './xdp-attachment.ts';

/** BPF_XDP of enum bpf_attach_type (linux/bpf.h). */
const BPF_XDP = 37;
/** BPF_F_REPLACE of BPF_LINK_UPDATE. */
const BPF_F_REPLACE = 1 << 2;
/** Refusals before the driver is asked: ENFILE and EMFILE are among them. */
const NOT_OF_THE_DRIVER = new Set([EPERM, EINTR, ENOMEM, 23, 24]);

/**
 * A BPF link, mostly one that holds an XDP program on a device. The program is detached when the last descriptor and pin
 * go.
 */
export class XdpLink implements Disposable {
  readonly info: LinkInfo;
  readonly #fd: Fd;

  constructor(fd: Fd) {
    this.#fd = fd;
    try {
      this.info = readLinkInfo(fd.number);
    } catch (error) {
      fd[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Attaches a program to a device that has none.
   *
   * @throws KernelRefusal `xdp attach`, with the kernel's own explanation; `xdp link` where there are no such links
   *   (EINVAL before Linux 5.9)
   */
  static create(ifindex: number, progFd: number, mode: XdpMode): XdpLink {
    const result = libbpf.bpf_link_create(progFd, ifindex, BPF_XDP, optionsOf(xdpModeFlags[mode], 0));
    if (result >= 0) return new XdpLink(new Fd(result));
    // A link that the driver refused brings no words of it with it; netlink does.
    if (!NOT_OF_THE_DRIVER.has(-result)) {
      attachXdp(ifindex, progFd, mode);
      detachXdp(ifindex, mode, progFd);
    }
    throw new KernelRefusal('xdp link', -result, { ifindex, ifname: interfaceName(ifindex), mode });
  }

  /** @throws KernelRefusal `link get by id`; ENOENT when there is no such link */
  static byId(id: number): XdpLink {
    return new XdpLink(new Fd(check(libbpf.bpf_link_get_fd_by_id(id), 'link get by id', { id })));
  }

  /** The link pinned at a path, undefined when nothing is. @throws KernelRefusal `pin get` */
  static byPin(path: string): XdpLink | undefined {
    try {
      return new XdpLink(openPin(path).fd);
    } catch (error) {
      if (error instanceof KernelRefusal && error.errno === ENOENT) return undefined;
      throw error;
    }
  }

  get fd(): number {
    return this.#fd.number;
  }

  /**
   * Puts a program in the place of the one that is there, in one step.
   *
   * @param expectedFd descriptor of the program that must be there
   * @throws KernelRefusal `link update`; EPERM when it is another
   */
  update(progFd: number, expectedFd: number): void {
    const options = optionsOf(BPF_F_REPLACE, expectedFd);
    check(libbpf.bpf_link_update(this.fd, progFd, options), 'link update', { id: this.info.id });
  }

  /** Takes the program off the device, whoever else holds the link. @throws KernelRefusal `link detach` */
  detach(): void {
    check(libbpf.bpf_link_detach(this.fd), 'link detach', { id: this.info.id });
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

/** struct bpf_link_create_opts and bpf_link_update_opts begin alike (bpf/bpf.h): size_t sz, __u32 flags, then a word. */
function optionsOf(flags: number, word: number): Uint8Array {
  const options = new Uint8Array(16);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, BigInt(options.length), littleEndian);
  view.setUint32(8, flags, littleEndian);
  view.setUint32(12, word, littleEndian);
  return options;
}
