import { KernelRefusal } from '../domain/errors.ts';
import { isRedirectKind } from '../domain/map-type.ts';
import {
  type CpumapConfig,
  decodeCpumapConfig,
  decodeRedirectConfig,
  MAX_SPREAD_CPUS,
  type RedirectConfig,
} from '../domain/redirect-config.ts';
import { ENOENT } from './check.ts';
import { BpfMap } from './map.ts';

/** sizeof(struct redirect_config), of struct cpumap_config, and of a counter (bpf-objects/README.md). */
const CONFIG_SIZE = 16;
const CPUMAP_CONFIG_SIZE = 16 + 4 * MAX_SPREAD_CPUS;
const COUNTER_SIZE = 24;

/** How a redirect program of ours was configured: those that spread over CPUs have `cpus` and no key. */
export type OwnConfig = RedirectConfig | CpumapConfig;

/**
 * How a redirect program of ours was configured; undefined for a program that is not ours. It is known by its name and by
 * the names and shapes of its maps, of which the one of targets may be anybody's.
 *
 * @param mapIds the maps it uses
 * @throws KernelRefusal `map get by id`, `map info`, `map lookup`
 */
export function ownConfigOf(name: string, mapIds: readonly number[]): OwnConfig | undefined {
  if (name !== 'redirect' || mapIds.length !== 3) return undefined;
  const maps: BpfMap[] = [];
  try {
    for (const id of mapIds) maps.push(BpfMap.byId(id));
    const named = (wanted: string): BpfMap | undefined => maps.find(({ info }) => info.name === wanted);
    const [config, counters] = [named('redirect.rodata'), named('counters')];
    if (counters?.info.valueSize !== COUNTER_SIZE || !maps.some(({ info }) => isRedirectKind(info.typeName))) {
      return undefined;
    }
    return config && decode(config);
  } catch (error) {
    // A map that vanished: the program has gone meanwhile.
    if (error instanceof KernelRefusal && error.errno === ENOENT) return undefined;
    throw error;
  } finally {
    for (const map of maps) map[Symbol.dispose]();
  }
}

function decode(config: BpfMap): OwnConfig | undefined {
  const { keySize, valueSize } = config.info;
  if (keySize !== 4) return undefined;
  if (valueSize !== CONFIG_SIZE && valueSize !== CPUMAP_CONFIG_SIZE) return undefined;
  const value = new Uint8Array(config.valueLength);
  if (!config.lookup(new Uint8Array(4), value)) return undefined;
  return valueSize === CONFIG_SIZE ? decodeRedirectConfig(value) : decodeCpumapConfig(value);
}
