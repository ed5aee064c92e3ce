import { KernelRefusal } from '../domain/errors.ts';
import { ENOENT } from './check.ts';
import { BpfMap } from './map.ts';
import { objectIds } from './object-ids.ts';

/**
 * Every map of this kernel, open while the caller looks at it. A map that vanishes between its id and its descriptor
 * is left out.
 *
 * @throws KernelRefusal `map next id`, `map get by id`
 */
export function* allMaps(): Generator<BpfMap> {
  for (const id of objectIds('map')) {
    let map;
    try {
      map = BpfMap.byId(id);
    } catch (error) {
      if (error instanceof KernelRefusal && error.errno === ENOENT) continue;
      throw error;
    }
    using open = map;
    yield open;
  }
}
