import { causes } from './cause.ts';

/** Lost on the way to another CPU. */
export const toCpu = causes([
  {
    code: 'cpumap-full',
    summary: "the CPU's queue was full",
    explanation:
      'The target CPU takes frames slower than they come, and its queue (qsize) is full. In native mode no error event ' +
      'exists; in generic mode each frame is also reported with ENOSPC.',
    signals: [
      { event: 'xdp_cpumap_enqueue', field: 'drops', through: 'cpumap' },
      { event: 'xdp_redirect_err', errno: 'ENOSPC', through: 'cpumap', mode: 'generic', since: '5.15' },
    ],
    functions: ['bq_flush_to_queue', 'cpu_map_generic_redirect'],
    fix: 'a longer queue, `xdpctl map update MAP key CPU value qsize N` (at most 16384), or frames spread over more CPUs',
  },
  {
    code: 'cpumap-program-drop',
    summary: 'the program in the cpumap entry dropped it',
    explanation:
      'The program in the entry runs on the target CPU. Counted are all frames it did not pass on: XDP_DROP, and, up to ' +
      '6.18 without any further event, XDP_ABORTED, XDP_TX and unknown values. A redirect of its own that failed is ' +
      'reported under its own cause.',
    signals: [
      { event: 'xdp_cpumap_kthread', field: 'xdp_drop', through: 'cpumap', since: '5.9' },
      { event: 'xdp_exception', action: 'ABORTED' },
      { event: 'xdp_exception', action: 'TX' },
      { event: 'xdp_exception', action: 'other' },
    ],
    functions: ['cpu_map_bpf_prog_run_xdp', 'cpu_map_bpf_prog_run_skb'],
    fix: 'correct that program, or write the entry without it: `xdpctl map update MAP key CPU value qsize N`',
  },
  {
    code: 'cpumap-alloc-failed',
    summary: 'no memory for the skb on the target CPU',
    explanation: 'The thread of the target CPU could not allocate the skb that the network stack needs.',
    signals: [{ event: 'xdp_cpumap_kthread', field: 'drops', through: 'cpumap', since: '5.14' }],
    functions: ['cpu_map_kthread_run'],
    fix: 'free memory; `slabtop` shows who holds it',
    versions: ['before 5.14 the event also counts frames that the network stack of that CPU drops'],
  },
]);
