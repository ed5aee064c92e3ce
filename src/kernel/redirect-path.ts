import { encodeDevmapValue } from '../domain/devmap.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { encodeInteger } from '../domain/integer.ts';
import type { RedirectConfig } from '../domain/redirect-config.ts';
import { BPF_ANY } from './map.ts';
import { COUNTERS_PIN, type PathStore, PROGRAM_PIN, TARGETS_PIN } from './path-store.ts';
import { pinObject } from './pin.ts';
import { BpfProgram } from './program.ts';
import { loadRedirectProgram, type RedirectProgram } from './redirect-program.ts';
import { Transaction } from './transaction.ts';
import { attachXdp, detachXdp, type XdpMode } from './xdp-attachment.ts';

/** Where frames go: an entry of the map of targets. */
export interface Target {
  readonly key: number;
  readonly ifindex: number;
}

/** A redirect from one device to others, as it is to be. */
export interface PathPlan {
  readonly ifindex: number;
  readonly mode: XdpMode;
  /** Name of the redirect program in bpf-objects/. */
  readonly object: string;
  readonly config: RedirectConfig;
  readonly targets: readonly Target[];
  readonly maxEntries?: number;
}

/** What was there before in the same mode and gives way. */
export interface Replaced {
  readonly program: BpfProgram;
}

/** What a path consists of once it is in place. */
export interface AttachedPath {
  readonly program: { readonly id: number; readonly name: string; readonly tag: string };
  readonly map: { readonly id: number; readonly name: string; readonly type: string; readonly pinned: string };
}

/**
 * Puts a path in place in the order load, fill, verify, pin, switch: until the switch nothing that frames can see has
 * changed, and a failure before it takes everything back. Wants the store's lock held.
 *
 * @param replaced the program that is attached now and gives way; undefined when there is none
 * @throws KernelRefusal of the step that failed
 */
export function putInPlace(plan: PathPlan, store: PathStore, replaced: Replaced | undefined): AttachedPath {
  using loaded = loadRedirectProgram(plan.object, plan.config, plan.maxEntries);
  fill(loaded, plan.targets);
  using transaction = new Transaction();
  const staged = store.stage();
  transaction.onRollback(() => {
    store.discardStaged();
  });
  pinObject(loaded.program.fd, `${staged}/${PROGRAM_PIN}`);
  pinObject(loaded.targets.fd, `${staged}/${TARGETS_PIN}`);
  pinObject(loaded.counters.fd, `${staged}/${COUNTERS_PIN}`);
  attachXdp(plan.ifindex, loaded.program.fd, plan.mode, replaced?.program.fd);
  transaction.commit();
  store.adopt();
  const { info } = loaded.targets;
  return {
    program: loaded.program.info,
    map: { id: info.id, name: info.name, type: info.typeName ?? '', pinned: `${store.path}/${TARGETS_PIN}` },
  };
}

/**
 * Takes a path away: the program off the device first, then its pins. Wants the store's lock held.
 *
 * @param programId the program that must be attached
 */
export function takeAway(ifindex: number, mode: XdpMode, programId: number, store: PathStore | undefined): void {
  using program = BpfProgram.byId(programId);
  detachXdp(ifindex, mode, program.fd);
  store?.remove();
}

/** Writes the targets and reads them back, because the kernel clears an entry whose device goes meanwhile. */
function fill({ targets }: RedirectProgram, wanted: readonly Target[]): void {
  const { valueSize } = targets.info;
  for (const { key, ifindex } of wanted) {
    targets.update(encodeInteger(key, 4), encodeDevmapValue({ ifindex, prog: 0 }, valueSize), BPF_ANY);
  }
  const value = new Uint8Array(valueSize);
  for (const { key } of wanted) {
    if (!targets.lookup(encodeInteger(key, 4), value)) {
      throw new KernelRefusal('map update', ENODEV, { ...targets.facts(), key });
    }
  }
}

const ENODEV = 19;
