import { beforeTarget } from './drop-catalogue/before-target.ts';
import type { DropCause, DropSignal } from './drop-catalogue/cause.ts';
import { toCpu } from './drop-catalogue/cpumap.ts';
import { toDevice } from './drop-catalogue/devmap.ts';
import { elsewhere } from './drop-catalogue/elsewhere.ts';
import { toSocket } from './drop-catalogue/xskmap.ts';

const catalogue = [...beforeTarget, ...toDevice, ...toCpu, ...toSocket, ...elsewhere] as const;

/** Why a frame was lost; stable names that scripts rely on. */
export type DropCode = (typeof catalogue)[number]['code'];

export type { DropSignal };

/** Every cause, in the order of a frame's way through the kernel. */
export const dropCatalogue: readonly DropCause<DropCode>[] = catalogue;

export const dropCodes: readonly DropCode[] = catalogue.map((cause) => cause.code);

export function isDropCode(word: string): word is DropCode {
  return (dropCodes as readonly string[]).includes(word);
}

/** The cause of a code. */
export function dropCause(code: DropCode): DropCause<DropCode> {
  const cause = dropCatalogue.find((candidate) => candidate.code === code);
  if (cause === undefined) throw new TypeError(`no such code: ${code}`);
  return cause;
}

/** The causes that show themselves by this errno (name), for `debug explain ENXIO`. */
export function causesOfErrno(errnoName: string): readonly DropCause<DropCode>[] {
  return dropCatalogue.filter((cause) => cause.signals.some((signal) => signal.errno === errnoName));
}
