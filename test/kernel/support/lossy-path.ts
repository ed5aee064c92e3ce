import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { encodePair } from '../../../src/domain/devmap.ts';
import { BpfMap } from '../../../src/kernel/map.ts';
import { inNetns } from '../../../src/kernel/netns.ts';
import { BpfProgram } from '../../../src/kernel/program.ts';
import { builtinPath } from '../../support/builtin-path.ts';
import { PinFolder } from '../../support/command.ts';
import { kernelHas } from '../../support/kernel-has.ts';
import { createPathWorld, type PathWorld } from '../../support/path-world.ts';
import { inNamespace, tool, toolJson } from '../../support/tool.ts';

/** Programs that lose frames, each in one way. */
export const faultyObject = join(import.meta.dirname, '..', '..', 'fixtures', 'bpf', 'faulty.bpf.o');

/** The same, of which generic mode takes more before Linux 5.15. */
const plainObject = join(import.meta.dirname, '..', '..', 'fixtures', 'bpf', 'faulty-plain.bpf.o');

export const missingObject = builtinPath('redirect_devmap_hash');

/** A path (path-world.ts) with an XDP program on its ingress, loaded by bpftool and attached by ip. */
export interface LossyPath extends PathWorld {
  /** An entry of one of the program's maps, with a program of the same object in it or none. */
  setEntry(map: string, key: number, value: number, program?: string): void;
  openMap(name: string): BpfMap;
  /** Whether the map with this id belongs to the program. */
  hasMap(id: number | undefined): boolean;
  /** The path of a pin: `maps/NAME`, `progs/NAME`. */
  pin(name: string): string;
}

/** @returns for `using` */
export function createLossyPath(object: string, program: string, mode: 'xdpdrv' | 'xdpgeneric' = 'xdpdrv'): LossyPath {
  const path = createPathWorld();
  const pins = new PinFolder();
  const dispose = (): void => {
    pins[Symbol.dispose]();
    path[Symbol.dispose]();
  };
  try {
    const plain = object === faultyObject && mode === 'xdpgeneric' && !kernelHas('5.15');
    tool('bpftool', ['prog', 'loadall', plain ? plainObject : object, pins.pin('progs'), 'pinmaps', pins.pin('maps')]);
    const attach = ['ip', 'link', 'set', 'dev', path.ingress.name, mode, 'pinned', pins.pin(`progs/${program}`)];
    const [ip = '', ...words] = inNamespace(path.router, attach);
    tool(ip, words);
  } catch (error) {
    dispose();
    throw error;
  }
  const idOf = (kind: 'map' | 'prog', pin: string): number =>
    (toolJson('bpftool', ['-j', kind, 'show', 'pinned', pins.pin(pin)]) as { id: number }).id;
  const mapId = (name: string): number => idOf('map', `maps/${name}`);
  return {
    ...path,
    pin: (name) => pins.pin(name),
    openMap: (name) => BpfMap.byId(mapId(name)),
    hasMap: (id) => readdirSync(pins.pin('maps')).some((name) => mapId(name) === id),
    setEntry(name, key, value, inEntry) {
      // bpftool cannot write a program into an entry: the kernel wants a descriptor of the writing process.
      using map = BpfMap.byId(mapId(name));
      using held = inEntry === undefined ? undefined : BpfProgram.byId(idOf('prog', `progs/${inEntry}`));
      inNetns(path.router, () =>
        map.update(encodePair(key, 0, 4), encodePair(value, held?.fd ?? 0, map.info.valueSize), 0),
      );
    },
    [Symbol.dispose]: dispose,
  };
}
