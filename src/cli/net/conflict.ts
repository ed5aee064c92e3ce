import type { TypeCommand } from '../../domain/path-plan.ts';
import type { XdpMode } from '../../kernel/interfaces.ts';
import type { NetAttachment } from '../../kernel/net-attachments.ts';
import { typeOfMode } from './words.ts';

/** Why a program cannot be attached beside what is there, and what to do about it. */
export interface Conflict {
  readonly message: string;
  readonly hint: string;
}

/**
 * What stands in the way of attaching a program; undefined where nothing does.
 *
 * @param mode undefined: the kernel chooses
 * @param typed a command of ours, as the user would type it
 */
export function conflictOf(
  attached: readonly NetAttachment[],
  mode: XdpMode | undefined,
  overwrite: boolean,
  typed: TypeCommand,
): Conflict | undefined {
  // An offloaded program goes with one of the driver's, or a generic one.
  const rivals = attached.filter((each) => (mode === 'offload') === (each.mode === 'offload'));
  const [rival] = rivals;
  if (rival === undefined) return undefined;
  const message = `${attachmentText(rival)} is on ${rival.ifname} already`;
  if (rival.linkId !== undefined) return { message, hint: detachHint(rival, typed) };
  if (mode !== undefined && rival.mode !== mode) {
    return { message: `${message}: native and generic mode exclude each other`, hint: detachHint(rival, typed) };
  }
  return overwrite
    ? undefined
    : { message, hint: `add overwrite to put this one in its place, or ${detachHint(rival, typed)}` };
}

/** The command that takes a program off. */
export function detachHint({ linkId, mode, ifname }: NetAttachment, typed: TypeCommand): string {
  const words =
    linkId === undefined
      ? ['net', 'detach', typeOfMode[mode], 'dev', ifname]
      : ['link', 'detach', 'id', String(linkId)];
  return `take it off first: ${typed(words)}`;
}

/** A program where it is, in a sentence: `program 60 (redirect), in native mode by link 5,`. */
export function attachmentText({ progId, prog, mode, linkId }: NetAttachment): string {
  const name = prog?.name ? ` (${prog.name})` : '';
  return `program ${progId}${name} in ${mode} mode${linkId === undefined ? '' : `, held by link ${linkId},`}`;
}
