import type { Hint } from '../../domain/errors.ts';
import type { Typed } from '../../domain/typed-command.ts';
import type { XdpMode } from '../../kernel/interfaces.ts';
import type { NetAttachment } from '../../kernel/net-attachments.ts';
import { typeOfMode } from './words.ts';

/** Why a program cannot be attached beside what is there, and what to do about it. */
export interface Conflict {
  readonly message: string;
  readonly hint: Hint;
}

/**
 * What stands in the way of attaching a program; undefined where nothing does.
 *
 * @param mode undefined: the kernel chooses
 */
export function conflictOf(
  attached: readonly NetAttachment[],
  mode: XdpMode | undefined,
  overwrite: boolean,
): Conflict | undefined {
  // An offloaded program goes with one of the driver's, or a generic one.
  const rivals = attached.filter((each) => (mode === 'offload') === (each.mode === 'offload'));
  const [rival] = rivals;
  if (rival === undefined) return undefined;
  const message = `${attachmentText(rival)} is on ${rival.ifname} already`;
  const first = (typed: Typed): string => `take it off first: ${detachCommand(rival, typed)}`;
  if (rival.linkId !== undefined) return { message, hint: first };
  if (mode !== undefined && rival.mode !== mode) {
    return { message: `${message}: native and generic mode exclude each other`, hint: first };
  }
  return overwrite
    ? undefined
    : { message, hint: (typed) => `add overwrite to put this one in its place, or ${first(typed)}` };
}

/** The command that takes a program off. */
export function detachCommand({ linkId, mode, ifname }: NetAttachment, { own }: Typed): string {
  return linkId === undefined
    ? own(['net', 'detach', typeOfMode[mode], 'dev', ifname])
    : own(['link', 'detach', 'id', String(linkId)]);
}

/** A program where it is, in a sentence: `program 60 (redirect), in native mode by link 5,`. */
export function attachmentText({ progId, prog, mode, linkId }: NetAttachment): string {
  const name = prog?.name ? ` (${prog.name})` : '';
  return `program ${progId}${name} in ${mode} mode${linkId === undefined ? '' : `, held by link ${linkId},`}`;
}
