import { KernelRefusal } from '../domain/errors.ts';
import type { Occupant, ProgramName } from '../domain/path-plan.ts';
import type { NamedDevice, PathMode } from '../domain/redirect-path.ts';
import { EACCES, ENOENT, EPERM } from './check.ts';
import type { XdpAttachment } from './interfaces.ts';
import { findXdpLink, replacementsWithin } from './link-list.ts';
import { directoryInEffect } from './path-journal.ts';
import { type HandleOf, readPath } from './path-reader.ts';
import { LINK_PIN, type PathStore, pinnedProgram, PROGRAM_PIN } from './path-store.ts';
import { BpfProgram } from './program.ts';
import { XdpLink } from './xdp-link.ts';

/** The name of the program in which libxdp runs several others, one after another. */
const DISPATCHER = 'xdp_dispatcher';

/**
 * What is attached to a device, and what it does when it is a path of ours. Reads only.
 *
 * @param attached the programs attached to the device; those that run on the NIC itself do not count
 * @throws KernelRefusal `pin get`, `map …`, `link …`
 */
export function readOccupant(
  store: PathStore,
  device: NamedDevice,
  attached: readonly XdpAttachment[],
  handleOf: HandleOf = (_, id) => `id:${id}`,
): Occupant | undefined {
  const found = attached.find(({ mode }) => mode !== 'offload');
  if (found === undefined) return undefined;
  const { progId: programId } = found;
  const mode: PathMode = found.mode === 'generic' ? 'generic' : 'native';
  const directory = directoryInEffect(store, device.ifindex, [programId]);
  if (directory === undefined) return foreign(device, mode, programId);
  using program = pinnedProgram(`${directory}/${PROGRAM_PIN}`);
  using link = XdpLink.byPin(`${directory}/${LINK_PIN}`);
  return {
    mode,
    programId,
    own: readPath(directory, device, mode, handleOf),
    ...(program !== undefined && { programName: program.info.name }),
    ...(link !== undefined && { linkId: link.info.id }),
  };
}

function foreign({ ifindex }: NamedDevice, mode: PathMode, programId: number): Occupant {
  const { name } = programName(programId);
  const linkId = findXdpLink(programId, ifindex);
  return {
    mode,
    programId,
    ...(name !== undefined && { programName: name }),
    ...(linkId !== undefined && { linkId }),
    ...(name === DISPATCHER && { components: replacementsWithin(programId).map(programName) }),
  };
}

/** The name is left out when this process may not know it, or the program has gone meanwhile. */
function programName(id: number): ProgramName {
  try {
    using program = BpfProgram.byId(id);
    return { id, name: program.info.name };
  } catch (error) {
    if (error instanceof KernelRefusal && [EPERM, EACCES, ENOENT].includes(error.errno)) return { id };
    throw error;
  }
}
