import { kernelHas } from '../../../support/kernel-has.ts';
import { setLink } from '../../../support/world.ts';
import { forward, type LossCase } from '../loss-case.ts';
import { sendWhileBusy } from '../starved-receiver.ts';

/** Frames that do not get to, or past, another CPU. */
export const cpumap: readonly LossCase[] = [
  {
    code: 'map-miss',
    how: 'no entry for the CPU',
    count: 44,
    program: 'to_cpu',
    finding: () => ({ certainty: 'likely' }),
  },
  {
    code: 'cpumap-program-drop',
    how: 'the program in the entry returns XDP_DROP',
    count: 17,
    program: 'to_cpu',
    breakIt: (path) => path.setEntry('cpus', 0, 192, 'cpu_drop'),
    finding: () => ({ certainty: 'certain', key: 0, cpu: 0 }),
  },
  {
    code: 'cpumap-program-drop',
    how: 'the program in the entry returns XDP_ABORTED',
    count: 45,
    program: 'to_cpu',
    breakIt: (path) => path.setEntry('cpus', 0, 192, 'cpu_abort'),
    finding: () => ({ certainty: 'certain', key: 0 }),
  },
  {
    code: 'target-down',
    how: 'the target of the program in the cpumap entry is down',
    count: 41,
    program: 'to_cpu',
    breakIt(path) {
      path.setEntry('cpus', 0, 192, 'cpu_forward');
      forward(path);
      setLink(path.router, 'set', path.egress.name, 'down');
    },
    finding: () => ({ certainty: 'certain', prog: { name: 'cpu_forward', role: 'cpumap' } }),
    mends: true,
  },
  {
    code: 'cpumap-full',
    how: 'a queue of one frame, the CPU busy',
    count: 64,
    lost: () => 63,
    program: 'to_other_cpu',
    breakIt: (path) => path.setEntry('cpus', 1, 1),
    send: (path) => sendWhileBusy(path, 64),
    finding: () => ({ certainty: 'certain', key: 1, cpu: 1 }),
    // The frame that was queued: before, it counts that the stack knows nothing of its protocol.
    also: kernelHas('5.14') ? [] : [{ code: 'unknown', count: 1, event: 'xdp_cpumap_kthread', cpu: 1 }],
  },
  {
    code: 'cpumap-full',
    how: 'a queue of one frame, the CPU busy',
    count: 33,
    lost: () => 32,
    program: 'to_other_cpu',
    mode: 'xdpgeneric',
    since: '5.15',
    breakIt: (path) => path.setEntry('cpus', 1, 1),
    send: (path) => sendWhileBusy(path, 33),
    finding: () => ({ certainty: 'certain', key: 1, cpu: 1, errnoName: 'ENOSPC' }),
  },
];
