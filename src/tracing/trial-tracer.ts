import type { DropCounter } from '../domain/drop-counter.ts';
import {
  type HandledFrames,
  type QueuedFrames,
  type RedirectedFrames,
  Sums,
  type TransmittedFrames,
  type TrialCounts,
} from '../domain/trial-counts.ts';
import { xdpActionNumber } from '../domain/xdp-action.ts';
import { type TracedEvent, TraceInstance } from './trace-instance.ts';
import { numberIn, type TraceLine } from './trace-text.ts';

/** Whose frames are looked at. */
export interface TrialScope {
  /** The program on the device, whose id the events carry, also where it is a dispatcher. */
  readonly progId: number;
  readonly ifindex: number;
  /** Programs in the entries of its maps. */
  readonly entryProgIds: readonly number[];
  /** Its cpumaps. */
  readonly cpumapIds: readonly number[];
}

const ownEvents: readonly TracedEvent[] = [
  ...['xdp_redirect', 'xdp_redirect_err', 'xdp_exception', 'xdp_devmap_xmit', 'xdp_cpumap_enqueue'].map((name) => ({
    group: 'xdp',
    name,
  })),
  // What the program passes goes to the network stack by this way, and nothing else does in this thread.
  { group: 'net', name: 'netif_receive_skb_list_entry' },
];

/**
 * Follows the live frames that this thread sends: their events happen in it, and not in an interrupt, so that other frames
 * of the same device and program are not counted. Only the threads of a cpumap work elsewhere, and are told by the map.
 */
export class TrialTracer implements Disposable {
  readonly #scope: TrialScope;
  readonly #own: TraceInstance;
  readonly #cpus: TraceInstance | undefined;
  readonly #redirected = new Sums<RedirectedFrames, 'count'>('count');
  readonly #failed = new Sums<DropCounter, 'count'>('count');
  readonly #transmitted = new Sums<TransmittedFrames, 'sent' | 'dropped'>('sent', 'dropped');
  readonly #queued = new Sums<QueuedFrames, 'frames' | 'dropped'>('frames', 'dropped');
  readonly #handled = new Sums<HandledFrames, 'frames' | 'dropped' | 'programDropped'>(
    'frames',
    'dropped',
    'programDropped',
  );
  #passed = 0;

  /** @throws ToolError permission, unsupported */
  constructor(tracefs: string, scope: TrialScope) {
    this.#scope = scope;
    this.#own = new TraceInstance(tracefs, ownEvents, 'thread');
    if (scope.cpumapIds.length === 0) return;
    try {
      this.#cpus = new TraceInstance(tracefs, cpuEvents(scope), 'all');
    } catch (error) {
      this.#own[Symbol.dispose]();
      throw error;
    }
  }

  /** Everything so far. */
  counts(): TrialCounts {
    for (const line of this.#own.read()) this.#take(line);
    for (const line of this.#cpus?.read() ?? []) this.#takeOfCpu(line);
    return {
      redirected: this.#redirected.rows,
      failed: this.#failed.rows,
      transmitted: this.#transmitted.rows,
      queued: this.#queued.rows,
      handled: this.#handled.rows,
      passed: this.#passed,
    };
  }

  /** Events that were lost: the counts are too low. */
  get lost(): number {
    return this.#own.lost + (this.#cpus?.lost ?? 0);
  }

  [Symbol.dispose](): void {
    this.#own[Symbol.dispose]();
    this.#cpus?.[Symbol.dispose]();
  }

  #take(line: TraceLine): void {
    const { progId, ifindex, cpumapIds } = this.#scope;
    const field = (name: string): number => numberIn(line, name) ?? 0;
    switch (line.event) {
      case 'xdp_redirect':
        if (field('prog_id') !== progId || field('ifindex') !== ifindex) return;
        this.#redirected.add({
          mapId: field('map_id'),
          key: field('map_index'),
          toIfindex: field('to_ifindex'),
          count: 1,
        });
        return;
      case 'xdp_redirect_err':
        if (field('prog_id') === progId && field('ifindex') === ifindex) this.#failed.add(redirectError(line));
        return;
      case 'xdp_exception':
        this.#takeException(line);
        return;
      case 'xdp_devmap_xmit':
        if (field('from_ifindex') !== ifindex) return;
        this.#transmitted.add({
          toIfindex: field('to_ifindex'),
          errno: -field('err') || 0,
          sent: field('sent'),
          dropped: field('drops'),
        });
        return;
      case 'xdp_cpumap_enqueue': {
        const mapId = field('map_id');
        if (!cpumapIds.includes(mapId)) return;
        this.#queued.add({ mapId, cpu: field('to_cpu'), frames: field('processed'), dropped: field('drops') });
        return;
      }
      case 'netif_receive_skb_list_entry':
        this.#passed += 1;
        return;
      default:
    }
  }

  /** Of an egress program; the device is the target. */
  #takeException(line: TraceLine): void {
    const prog = numberIn(line, 'prog_id') ?? 0;
    if (!this.#scope.entryProgIds.includes(prog)) return;
    const action = /action=(\w+)/.exec(line.text)?.[1] ?? '';
    this.#failed.add({
      event: 'xdp_exception',
      count: 1,
      progId: prog,
      fromIfindex: numberIn(line, 'ifindex') ?? 0,
      // A value that is no action is printed as a hexadecimal number.
      action: xdpActionNumber(action) ?? Number(action),
    });
  }

  #takeOfCpu(line: TraceLine): void {
    if (line.event === 'xdp_redirect_err') {
      this.#failed.add(redirectError(line));
      return;
    }
    const field = (name: string): number => numberIn(line, name) ?? 0;
    this.#handled.add({
      mapId: field('map_id'),
      cpu: field('cpu'),
      frames: field('processed'),
      dropped: field('drops'),
      programDropped: field('xdp_drop'),
    });
  }
}

function anyOf(field: string, ids: readonly number[]): string {
  return ids.map((id) => `${field} == ${id}`).join(' || ');
}

/** The threads of the cpumaps, and redirects of the programs in their entries that fail. */
function cpuEvents({ cpumapIds, entryProgIds }: TrialScope): TracedEvent[] {
  const group = 'xdp';
  return [
    { group, name: 'xdp_cpumap_kthread', filter: anyOf('map_id', cpumapIds) },
    ...(entryProgIds.length === 0 ? [] : [{ group, name: 'xdp_redirect_err', filter: anyOf('prog_id', entryProgIds) }]),
  ];
}

function redirectError(line: TraceLine): DropCounter {
  const field = (name: string): number => numberIn(line, name) ?? 0;
  return {
    event: 'xdp_redirect_err',
    count: 1,
    errno: -field('err'),
    fromIfindex: field('ifindex'),
    toIfindex: field('to_ifindex'),
    progId: field('prog_id'),
    mapId: field('map_id'),
    mapIndex: field('map_index'),
  };
}
