import { KernelRefusal } from '../domain/errors.ts';
import { BpfMap } from './map.ts';
import { openPin } from './pin.ts';
import { BpfProgram } from './program.ts';

/** An object that was found before: its id, and how the user named it, which may be the path of a pin. */
export interface FoundObject {
  readonly id: number;
  readonly handle?: string;
}

/**
 * Opens a map that was found before. By its pin where it has one, because only CAP_SYS_ADMIN may open objects by id.
 *
 * @throws KernelRefusal `map get by id`
 */
export function openMapAs({ id, handle }: FoundObject): BpfMap {
  return byPin(handle, 'map', (fd) => new BpfMap(fd), id) ?? BpfMap.byId(id);
}

/** The same for a program. @throws KernelRefusal `prog get by id` */
export function openProgramAs({ id, handle }: FoundObject): BpfProgram {
  return byPin(handle, 'prog', (fd) => new BpfProgram(fd), id) ?? BpfProgram.byId(id);
}

/** Undefined when the handle is no pin, or another object is pinned there by now. */
function byPin<Opened extends Disposable & { readonly info: { readonly id: number } }>(
  handle: string | undefined,
  wanted: 'map' | 'prog',
  open: (fd: ReturnType<typeof openPin>['fd']) => Opened,
  id: number,
): Opened | undefined {
  if (handle?.startsWith('/') !== true) return undefined;
  try {
    const { kind, fd } = openPin(handle);
    const opened = kind === wanted ? open(fd) : undefined;
    if (opened?.info.id === id) return opened;
    (opened ?? fd)[Symbol.dispose]();
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error;
  }
  return undefined;
}
