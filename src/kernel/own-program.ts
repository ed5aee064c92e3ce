import { KernelRefusal } from '../domain/errors.ts';
import { decodeRedirectConfig, type RedirectConfig } from '../domain/redirect-config.ts';
import { ENOENT } from './check.ts';
import { BpfMap } from './map.ts';

/** sizeof(struct redirect_config), and of a counter (bpf-objects/redirect-by-key.h, counters.h). */
const CONFIG_SIZE = 16;
const COUNTER_SIZE = 24;

/**
 * How a redirect program of ours was configured; undefined for a program that is not ours, and for the one that spreads
 * over CPUs, which has no key source. It is known by its name and the shapes of its maps.
 *
 * @param mapIds the maps it uses
 * @throws KernelRefusal `map get by id`, `map info`, `map lookup`
 */
export function redirectConfigOf(name: string, mapIds: readonly number[]): RedirectConfig | undefined {
  if (name !== 'redirect' || mapIds.length !== 3) return undefined;
  const maps: BpfMap[] = [];
  try {
    for (const id of mapIds) maps.push(BpfMap.byId(id));
    const named = (wanted: string): BpfMap | undefined => maps.find(({ info }) => info.name === wanted);
    const [config, counters] = [named('redirect.rodata'), named('counters')];
    if (named('targets') === undefined || counters?.info.valueSize !== COUNTER_SIZE) return undefined;
    if (config?.info.valueSize !== CONFIG_SIZE) return undefined;
    const value = new Uint8Array(config.valueLength);
    return config.lookup(new Uint8Array(4), value) ? decodeRedirectConfig(value) : undefined;
  } catch (error) {
    // A map that vanished: the program has gone meanwhile.
    if (error instanceof KernelRefusal && error.errno === ENOENT) return undefined;
    throw error;
  } finally {
    for (const map of maps) map[Symbol.dispose]();
  }
}
