import { type DropCode, dropCodes } from './drop-catalogue.ts';
import { causes, type DropCause } from './drop-catalogue/cause.ts';

const catalogue = causes([
  {
    code: 'ingress-down',
    summary: 'the device that the frames come in by is administratively down',
    explanation:
      'The driver takes no frames in, so that the program on the device never runs. Nothing is lost of what never came; the ' +
      'sender sees a link without a carrier.',
    signals: [],
    functions: ['dev_open'],
    fix: '`ip link set dev DEV up`',
  },
  {
    code: 'queue-without-socket',
    summary: 'a receive queue has no AF_XDP socket in the map',
    explanation:
      'Frames are spread over all receive queues of a device, and each queue needs a socket of its own. Those of a queue ' +
      'without one go to the network stack, or are lost, as the program decides.',
    signals: [],
    functions: ['bpf_xdp_redirect_map'],
    fix: 'a socket for the queue, `xdpctl xsk bind DEV --queue N --map MAP`; or fewer queues, `ethtool -L DEV combined N`',
  },
  {
    code: 'cpu-offline',
    summary: 'a cpumap leads to a CPU that is not online',
    explanation:
      'The kernel takes every possible CPU for a key. The thread for the frames of one that is offline runs wherever the ' +
      'scheduler puts it, and stays free to do so when the CPU is back, until the entry is written anew: no frame is lost, ' +
      'but they are not served where they were to be.',
    signals: [],
    functions: ['__cpu_map_entry_alloc', 'select_fallback_rq'],
    fix: '`chcpu -e N`, then `xdpctl map update MAP key N value qsize SIZE`; or spread the frames over CPUs that are online',
  },
  {
    code: 'frags-clash',
    summary: 'a program that takes frames of several buffers leads to one that does not',
    explanation:
      'The device lets frames in that take several buffers, the program on it takes them, and the program in the entry ' +
      'was loaded without that (`xdp.frags`): it sees their first buffer only. A DEVMAP and a CPUMAP refuse the second ' +
      'kind of program, a DEVMAP_HASH does not.',
    signals: [],
    functions: ['dev_map_bpf_prog_run', 'bpf_prog_map_compatible'],
    fix: 'load the program of the entry with SEC("xdp.frags/devmap"); or lower the MTU of the device the frames come in by',
    versions: ['frames of several buffers exist since 5.18'],
  },
  {
    code: 'mode-conflict',
    summary: 'generic mode where the other side, or the map, needs native mode',
    explanation:
      'Two ways through one map, or there and back, in different modes differ in speed, in what counts their losses, and ' +
      'in what a broadcast does. A device that has a program in generic mode gets none in native mode, which the drivers ' +
      'of several NICs need to transmit redirected frames. A cpumap needs native mode before 5.15.',
    signals: [],
    functions: ['dev_xdp_attach', 'do_xdp_generic'],
    fix: 'attach the program in native mode; the kernel cannot change the mode in one step, so take it off first',
  },
  {
    code: 'target-in-other-netns',
    summary: 'a devmap leads to a device of another network namespace',
    explanation:
      'An ifindex is looked up when the entry is written, in the network namespace of whoever writes it. The frames leave ' +
      'there, through a device that the namespace they came in by does not have: on purpose, or because the entry was ' +
      'written from the wrong namespace.',
    signals: [],
    functions: ['__dev_map_alloc_node'],
    fix: 'write the entry in the right namespace: `xdpctl --netns NAME map update MAP key KEY value dev DEV`',
  },
  {
    code: 'broadcast-starved',
    summary: 'generic mode: a member of a broadcast comes after one that cannot receive',
    explanation:
      'In generic mode a broadcast ends at the first member that cannot receive, and those behind it get nothing. In native ' +
      'mode only the bad member is left out.',
    signals: [],
    functions: ['dev_map_redirect_multi'],
    fix: 'mend the member before it, or take it out of the map: `xdpctl map delete MAP key KEY`; or use native mode',
  },
  {
    code: 'dispatcher-in-front',
    summary: 'a libxdp dispatcher, and nobody tells which programs it calls',
    explanation:
      'libxdp attaches a dispatcher and puts the real programs in place of its functions (freplace). Tracepoints name the ' +
      'dispatcher, and its maps are not theirs: without the links of its components a loss cannot be followed to a map.',
    signals: [],
    functions: ['bpf_dispatcher_xdp_func'],
    fix: 'look at it as root, `xdp-loader status DEV`; take it off, `xdpctl redirect detach DEV --force ID`, and attach the program without a dispatcher',
  },
  {
    code: 'program-drop',
    summary: 'the program returned XDP_DROP',
    explanation:
      'The program on the device dropped the frame, as a filter does. No event tells of that; `redirect test` knows it from ' +
      'what is left when all other frames are accounted for.',
    signals: [],
    functions: ['xdp_test_run_batch'],
    fix: 'nothing, if that is what the program is for',
  },
]);

/** A fault that is no loss yet, or that only `redirect test` can tell. */
export type CheckCode = (typeof catalogue)[number]['code'];

/** Every code by which a fault of a path is called. */
export type HealthCode = DropCode | CheckCode;

export const checkCatalogue: readonly DropCause<CheckCode>[] = catalogue;

export const checkCodes: readonly CheckCode[] = catalogue.map(({ code }) => code);

export const healthCodes: readonly HealthCode[] = [...dropCodes, ...checkCodes];

/** What is to say of a code that the catalogue of lost frames does not have; undefined for a word that is no such code. */
export function checkCause(word: string): DropCause<CheckCode> | undefined {
  return checkCatalogue.find(({ code }) => code === word);
}
