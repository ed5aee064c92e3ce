import { littleEndian } from '../domain/byte-order.ts';
import { LINK_TYPE_TRACING, LINK_TYPE_XDP } from '../domain/link-type.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { check } from './check.ts';

/** What the kernel says of a BPF link (struct bpf_link_info, linux/bpf.h), as far as XDP is concerned. */
export interface LinkInfo {
  readonly id: number;
  /** enum bpf_link_type (linux/bpf.h). */
  readonly type: number;
  readonly progId: number;
  /** The device of an XDP link, 0 once it is detached, or the device is gone. */
  readonly ifindex?: number;
  /** The program of which another one replaces a function (freplace). */
  readonly replacedIn?: number;
}

/** sizeof(struct bpf_link_info) up to what XDP and tracing links have in its union, rounded up. */
const LINK_INFO_SIZE = 32;

/** @throws KernelRefusal `link info` */
export function readLinkInfo(fd: number): LinkInfo {
  const info = new Uint8Array(LINK_INFO_SIZE);
  check(libbpf.bpf_obj_get_info_by_fd(fd, info, new Uint32Array([LINK_INFO_SIZE])), 'link info');
  const view = new DataView(info.buffer);
  const [type = 0, id = 0, progId = 0, , first = 0, second = 0] = Array.from({ length: 6 }, (_, index) =>
    view.getUint32(4 * index, littleEndian),
  );
  if (type === LINK_TYPE_XDP) return { id, type, progId, ifindex: first };
  // attach_type, which is 0 for freplace alone, then target_obj_id: the id of the program.
  const replaces = type === LINK_TYPE_TRACING && first === 0 && second !== 0;
  return { id, type, progId, ...(replaces && { replacedIn: second }) };
}
