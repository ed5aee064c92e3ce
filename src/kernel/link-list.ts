import { littleEndian } from '../domain/byte-order.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { check } from './check.ts';
import { Fd } from './fd.ts';
import { objectIds } from './object-ids.ts';

/** What the kernel says of a BPF link (struct bpf_link_info, linux/bpf.h), as far as XDP is concerned. */
export interface LinkInfo {
  readonly id: number;
  readonly progId: number;
  /** The device of an XDP link, 0 when that is gone. */
  readonly ifindex?: number;
  /** The program of which another one replaces a function (freplace). */
  readonly replacedIn?: number;
}

/** enum bpf_link_type (linux/bpf.h). */
const BPF_LINK_TYPE_TRACING = 2;
const BPF_LINK_TYPE_XDP = 6;

/** sizeof(struct bpf_link_info) up to what XDP and tracing links have in its union. */
const LINK_INFO_SIZE = 32;

/**
 * The links of XDP programs, and of programs that replace functions of others.
 *
 * @throws KernelRefusal `link next id` (EPERM without CAP_SYS_ADMIN), `link info`
 */
export function xdpLinks(): LinkInfo[] {
  const links: LinkInfo[] = [];
  for (const id of objectIds('link')) {
    const result = libbpf.bpf_link_get_fd_by_id(id);
    // Gone meanwhile, or only being made (bpf_link_by_id, kernel/bpf/syscall.c).
    if (result < 0) continue;
    using fd = new Fd(result);
    const info = readLinkInfo(fd.number);
    if (info.ifindex !== undefined || info.replacedIn !== undefined) links.push(info);
  }
  return links;
}

/** @throws KernelRefusal `link info` */
export function readLinkInfo(fd: number): LinkInfo {
  const info = new Uint8Array(LINK_INFO_SIZE);
  check(libbpf.bpf_obj_get_info_by_fd(fd, info, new Uint32Array([LINK_INFO_SIZE])), 'link info');
  const view = new DataView(info.buffer);
  const [type = 0, id = 0, progId = 0, , first = 0, second = 0] = Array.from({ length: 6 }, (_, index) =>
    view.getUint32(4 * index, littleEndian),
  );
  if (type === BPF_LINK_TYPE_XDP) return { id, progId, ifindex: first };
  // attach_type, which is 0 for freplace alone, then target_obj_id: the id of the program.
  if (type === BPF_LINK_TYPE_TRACING && first === 0 && second !== 0) return { id, progId, replacedIn: second };
  return { id, progId };
}
