import { libbpf } from '../ffi/libbpf.ts';
import { check, ENOENT } from './check.ts';

type Kind = 'map' | 'prog' | 'link';

/**
 * The ids of all maps, programs or links of this kernel, in ascending order. Objects may come and go meanwhile.
 *
 * @throws KernelRefusal `map next id` etc.; EPERM without CAP_SYS_ADMIN
 */
export function* objectIds(kind: Kind): Generator<number> {
  const next = new Uint32Array(1);
  let id = 0;
  for (;;) {
    const result = nextId(kind, id, next);
    if (result === -ENOENT) return;
    check(result, `${kind} next id`);
    id = next[0] ?? 0;
    yield id;
  }
}

function nextId(kind: Kind, start: number, next: Uint32Array): number {
  switch (kind) {
    case 'map':
      return libbpf.bpf_map_get_next_id(start, next);
    case 'prog':
      return libbpf.bpf_prog_get_next_id(start, next);
    case 'link':
      return libbpf.bpf_link_get_next_id(start, next);
  }
}
