import { causes } from './cause.ts';

/** Lost in the program or its redirect helper, before there is a target. */
export const beforeTarget = causes([
  {
    code: 'map-miss',
    summary:
      'the key has no entry, is outside the map, or the kernel removed the entry (device gone or moved, socket closed)',
    explanation:
      'bpf_redirect_map() found nothing at the key and returned the action in the two low bits of its flags, ' +
      'XDP_ABORTED when they are 0. The exception event carries neither map nor key. The kernel removes the entry of a ' +
      'device that is unregistered or moves to another network namespace, and of an AF_XDP socket that is closed. With ' +
      'XDP_PASS, XDP_DROP or XDP_TX in the flags there is no event at all.',
    signals: [{ event: 'xdp_exception', action: 'ABORTED' }],
    functions: ['__bpf_xdp_redirect_map', 'dev_map_notification', 'xsk_map_try_sock_delete'],
    fix: 'fill the entry: `xdpctl map update MAP key KEY value dev DEV`; or let the program pass XDP_PASS in the flags',
  },
  {
    code: 'program-aborted',
    summary: 'the program returned XDP_ABORTED for a reason of its own, illegal helper flags included',
    explanation:
      'XDP_ABORTED is what programs return when something is wrong, and what the redirect helpers return for flags ' +
      'they do not know: any flag with bpf_redirect(), BPF_F_BROADCAST on a cpumap or xskmap.',
    signals: [{ event: 'xdp_exception', action: 'ABORTED' }],
    functions: ['bpf_xdp_redirect', '__bpf_xdp_redirect_map'],
    fix: 'correct the program; `xdpctl prog show PROG` names it and its maps',
  },
  {
    code: 'unknown-action',
    summary: 'the program returned a value that is no XDP action',
    explanation:
      'Drivers treat an unknown return value as XDP_ABORTED. The kernel log says "Illegal XDP return value" only once ' +
      'in the life of the machine (pr_warn_once), the event comes for every frame.',
    signals: [{ event: 'xdp_exception', action: 'other' }],
    functions: ['bpf_warn_invalid_xdp_action'],
    fix: 'correct the program: it must return XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX or XDP_REDIRECT (0 to 4)',
  },
  {
    code: 'no-redirect-call',
    summary: 'it returned XDP_REDIRECT without a helper call (EBADRQC)',
    explanation:
      'XDP_REDIRECT alone names no target: bpf_redirect_map() or bpf_redirect() does, and the program must return what ' +
      'the helper returned. The event shows map id 0.',
    signals: [
      { event: 'xdp_redirect_err', errno: 'EBADRQC' },
      { event: 'xdp_redirect_err', errno: 'EINVAL', through: 'none', before: '5.13' },
    ],
    functions: ['__xdp_do_redirect_frame', 'xdp_do_generic_redirect_map'],
    fix: 'correct the program: `return bpf_redirect_map(&map, key, flags);`',
    versions: [
      'before 5.13 this is EINVAL, and looks like bpf_redirect() to ifindex 0',
      'before 5.15, a redirect through a cpumap in generic mode gives EBADRQC too: it was not supported',
    ],
  },
  {
    code: 'stale-target',
    summary: 'the map lookup failed and it returned XDP_REDIRECT all the same (EINVAL, map id INT_MAX)',
    explanation:
      'After a failed look-up the kernel has forgotten the map, and takes for an ifindex what an earlier redirect left ' +
      'behind, 0 when there was none. If a device has that ifindex, the frame even leaves through it.',
    signals: [{ event: 'xdp_redirect_err', errno: 'EINVAL', through: 'none' }],
    functions: ['__bpf_xdp_redirect_map', '__xdp_do_redirect_frame', 'dev_get_by_index_rcu'],
    fix: 'correct the program (return what bpf_redirect_map() returned) and fill the entry',
  },
  {
    code: 'no-such-interface',
    summary: 'bpf_redirect to an ifindex that the receiving netns does not have',
    explanation:
      'bpf_redirect() resolves the ifindex for every frame, in the network namespace of the device the frame came in ' +
      'by. A devmap resolves it once, when the entry is written, and therefore crosses namespaces.',
    signals: [{ event: 'xdp_redirect_err', errno: 'EINVAL', through: 'none' }],
    functions: ['__xdp_do_redirect_frame', 'dev_get_by_index_rcu'],
    fix: 'redirect through a devmap, or give the program an ifindex that `ip link` shows in the receiving namespace',
  },
  {
    code: 'no-headroom',
    summary: "no room for the frame's header (EOVERFLOW)",
    explanation:
      'A redirected frame carries a struct xdp_frame in its own headroom. The driver left too little of it, the ' +
      'program used it up with bpf_xdp_adjust_head(), or a zero-copy frame is larger than a page.',
    signals: [{ event: 'xdp_redirect_err', errno: 'EOVERFLOW' }],
    functions: ['xdp_convert_buff_to_frame', 'xdp_update_frame_from_buff'],
    fix: 'give the frame more headroom: a driver setting, a larger AF_XDP chunk, or less bpf_xdp_adjust_head()',
  },
]);
