import { KernelRefusal } from '../domain/errors.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { EACCES, EPERM } from './check.ts';
import { Fd } from './fd.ts';
import { type LinkInfo, readLinkInfo } from './link-info.ts';
import { objectIds } from './object-ids.ts';

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

/**
 * The id of the link by which a program is attached; undefined when it is attached without one, or when this process may
 * not list links (CAP_SYS_ADMIN).
 */
export function findXdpLink(programId: number, ifindex: number): number | undefined {
  return permittedLinks().find((link) => link.progId === programId && link.ifindex === ifindex)?.id;
}

/**
 * The ids of the programs that replace functions of a program (freplace), as the components of libxdp's dispatcher do;
 * none when this process may not list links.
 */
export function replacementsWithin(programId: number): number[] {
  return permittedLinks()
    .filter(({ replacedIn }) => replacedIn === programId)
    .map(({ progId }) => progId);
}

function permittedLinks(): LinkInfo[] {
  try {
    return xdpLinks();
  } catch (error) {
    if (error instanceof KernelRefusal && (error.errno === EPERM || error.errno === EACCES)) return [];
    throw error;
  }
}
