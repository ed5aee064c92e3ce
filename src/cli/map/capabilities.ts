/** What the verbs need that name a map. The kernel gives descriptors by id to CAP_SYS_ADMIN only (bpf_map_get_fd_by_id). */
export const toOpenMap = 'none for a map that is named by its pin; CAP_SYS_ADMIN to name it by its id or name';

/** Reading an XSKMAP takes a program that looks at its sockets. */
export const toReadMap = `${toOpenMap}; for an xskmap CAP_BPF and CAP_NET_ADMIN too, and CAP_PERFMON to see more of the sockets than their queues`;
