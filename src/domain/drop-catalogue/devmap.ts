import { causes } from './cause.ts';

/** Lost on the way to a device: devmap, devmap_hash and plain bpf_redirect(). */
export const toDevice = causes([
  {
    code: 'target-no-xmit',
    summary: 'the target cannot transmit redirected frames now: no NDO_XMIT (EOPNOTSUPP; ENXIO before 6.3)',
    explanation:
      "Native redirect calls the target driver's ndo_xdp_xmit. A veth offers it only while its peer has GRO on or an " +
      'XDP program; several NIC drivers only while the target has an XDP program itself; lo, bridge, macvlan and most ' +
      'virtual devices never. Generic mode does not need it.',
    signals: [
      { event: 'xdp_redirect_err', errno: 'EOPNOTSUPP', mode: 'native', since: '6.3' },
      { event: 'xdp_devmap_xmit', errno: 'ENXIO', field: 'drops', mode: 'native', before: '6.3' },
      { event: 'xdp_redirect_err', errno: 'EOPNOTSUPP', mode: 'native', before: '6.3' },
      { event: 'xdp_devmap_xmit', errno: 'EOPNOTSUPP', field: 'drops', mode: 'native' },
      { event: 'xdp_redirect_err', errno: 'ENXIO', mode: 'native', before: '5.6' },
    ],
    functions: ['__xdp_enqueue', 'bq_enqueue'],
    fix: 'veth: `ethtool -K PEER gro on` where the peer is; hardware: an XDP program on the target, `xdpctl net attach xdpdrv builtin pass dev DEV`',
    versions: [
      "6.3 and later look at the device's feature NDO_XMIT before the driver is called (EOPNOTSUPP); before, the driver answers ENXIO, or EOPNOTSUPP when it has no such operation",
    ],
  },
  {
    code: 'target-no-sg',
    summary: 'a multi-buffer frame, and the target lacks NDO_XMIT_SG',
    explanation:
      'A frame that spans several buffers (jumbo frames, header split) can only leave through a driver that transmits ' +
      'such frames; small frames pass. The event is the same as for a target without NDO_XMIT.',
    signals: [{ event: 'xdp_redirect_err', errno: 'EOPNOTSUPP', mode: 'native', since: '6.3' }],
    functions: ['__xdp_enqueue'],
    fix: 'lower the MTU of the device the frames come in by until one frame fits one buffer',
    versions: [
      'from 5.18 to 6.2 multi-buffer frames are lost without any event, but through a cpumap (xdp_do_redirect)',
    ],
  },
  {
    code: 'target-down',
    summary: 'the target is administratively down (ENETDOWN)',
    explanation: 'The kernel redirects only to devices that are up (IFF_UP). A missing carrier is another matter.',
    signals: [
      { event: 'xdp_redirect_err', errno: 'ENETDOWN' },
      { event: 'xdp_devmap_xmit', errno: 'ENETDOWN', field: 'drops', mode: 'native' },
    ],
    functions: ['xdp_ok_fwd_dev'],
    fix: '`ip link set dev DEV up`',
  },
  {
    code: 'target-no-carrier',
    summary: 'the driver would not take it: peer down, no reader, no transmit ring for this CPU (devmap_xmit, ENXIO)',
    explanation:
      'The redirect itself succeeded, then ndo_xdp_xmit refused the whole bundle: the peer of a veth is down, nobody ' +
      'has opened the queue of a tap device, a NIC has no XDP transmit ring for the CPU that runs, or is being reset. ' +
      'In generic mode there is no xdp event.',
    signals: [
      { event: 'xdp_devmap_xmit', errno: 'ENXIO', field: 'drops', mode: 'native' },
      { event: 'xdp_devmap_xmit', errno: 'EINVAL', field: 'drops', mode: 'native' },
      { event: 'xdp_devmap_xmit', errno: 'ENETDOWN', field: 'drops', mode: 'native' },
      { event: 'kfree_skb', reason: 'NOT_SPECIFIED', mode: 'generic' },
    ],
    functions: ['bq_xmit_all', 'veth_xdp_xmit', 'tun_xdp_xmit', '__dev_forward_skb2'],
    fix: 'veth: `ip link set dev PEER up`; tap: start the program that reads it; NIC: `ethtool -L DEV combined N` with as many queues as CPUs',
    versions: ['before 6.3 the same event also means that the target has no NDO_XMIT now'],
  },
  {
    code: 'frame-exceeds-mtu',
    summary: "longer than the target's MTU allows (EMSGSIZE)",
    explanation:
      "A frame may be as long as the target's MTU plus its link header (14) and one VLAN tag (4). Longer ones are not " +
      'split.',
    signals: [{ event: 'xdp_redirect_err', errno: 'EMSGSIZE' }],
    functions: ['xdp_ok_fwd_dev'],
    fix: '`ip link set dev DEV mtu N` with the MTU of the device the frames come in by',
  },
  {
    code: 'peer-mtu',
    summary: 'longer than the MTU of the veth peer',
    explanation:
      'veth checks the frame against the MTU of the receiving end, and stops the bundle at the first frame that is too ' +
      "long. The event says drops without an error, as for a full ring; the target's xdp_xmit_errors counts both. In " +
      'generic mode there is no xdp event.',
    signals: [
      { event: 'xdp_devmap_xmit', errno: '0', field: 'drops', mode: 'native' },
      { event: 'kfree_skb', reason: 'NOT_SPECIFIED', mode: 'generic' },
    ],
    functions: ['veth_xdp_xmit', '__dev_forward_skb2'],
    fix: '`ip link set dev PEER mtu N` where the peer is',
  },
  {
    code: 'tx-ring-full',
    summary: "the target's transmit ring was full",
    explanation:
      'The driver took part of the bundle and gave the rest back. veth holds 256 frames for a peer that polls too ' +
      'slowly, tap its txqueuelen, a NIC its transmit ring. The event says drops without an error.',
    signals: [
      { event: 'xdp_devmap_xmit', errno: '0', field: 'drops', mode: 'native' },
      { event: 'xdp_devmap_xmit', errno: 'ENOSPC', field: 'drops', mode: 'native' },
      { event: 'xdp_devmap_xmit', errno: 'EBUSY', field: 'drops', mode: 'native' },
      { event: 'kfree_skb', reason: 'NOT_SPECIFIED', mode: 'generic' },
    ],
    functions: ['bq_xmit_all', 'veth_xdp_xmit', 'tun_xdp_xmit', 'veth_xmit'],
    fix: 'NIC: `ethtool -G DEV tx N`; tap: `ip link set dev DEV txqueuelen N`; veth: more CPU for the receiving end, more queues',
  },
  {
    code: 'egress-program-drop',
    summary: 'the program in the devmap entry dropped it',
    explanation:
      'An entry of a devmap may carry a program, which runs for every frame that leaves through the entry. What it ' +
      'drops shows only as drops without an error, and in no counter of any device; before Linux 5.14 it is reported as ' +
      'success, and only comparing redirected frames with transmitted ones (`--conserve`) shows it. In generic mode there ' +
      'is no xdp event.',
    signals: [
      { event: 'xdp_devmap_xmit', errno: '0', field: 'drops', mode: 'native', since: '5.14' },
      { event: 'xdp_redirect', errno: '0', through: 'devmap', mode: 'native', before: '5.14' },
      { event: 'kfree_skb', reason: 'NOT_SPECIFIED', mode: 'generic' },
    ],
    functions: ['dev_map_bpf_prog_run', 'dev_map_bpf_prog_run_skb'],
    fix: 'correct that program, or write the entry without it: `xdpctl map update MAP key KEY value dev DEV`',
  },
  {
    code: 'egress-program-bad-action',
    summary: 'that program returned something other than PASS or DROP',
    explanation:
      'A program in a devmap entry may only return XDP_PASS or XDP_DROP. The exception event names that program, and ' +
      'the target as its device; the frames are also in the drops of xdp_devmap_xmit.',
    signals: [
      { event: 'xdp_exception', action: 'ABORTED' },
      { event: 'xdp_exception', action: 'TX' },
      { event: 'xdp_exception', action: 'REDIRECT' },
      { event: 'xdp_exception', action: 'other' },
    ],
    functions: ['dev_map_bpf_prog_run', 'dev_map_bpf_prog_run_skb'],
    fix: 'correct the program in the entry: only XDP_PASS and XDP_DROP are legal',
  },
  {
    code: 'broadcast-no-target',
    summary: 'broadcast, and no member was eligible (`--conserve` only)',
    explanation:
      'With BPF_F_BROADCAST every member of the devmap that is up, can transmit and is large enough gets a copy; with ' +
      'BPF_F_EXCLUDE_INGRESS not the one it came from. When none is left the kernel frees the frame and reports ' +
      'success: only comparing redirected frames with transmitted ones shows it. In generic mode not even that.',
    signals: [{ event: 'xdp_redirect', errno: '0', through: 'devmap', mode: 'native', since: '5.14' }],
    functions: ['dev_map_enqueue_multi', 'is_valid_dst'],
    fix: 'fill the map with devices that can receive: `xdpctl map update MAP key KEY value dev DEV`',
  },
]);
