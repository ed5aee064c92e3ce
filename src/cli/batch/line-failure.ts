import type { BatchPlace, ToolError } from '../../domain/errors.ts';
import { shellCommand } from '../../domain/shell-quote.ts';
import { counted } from '../../output/reporter.ts';

/**
 * The error of a line, with its place.
 *
 * @param last whether the batch stops here: the message says how many commands were applied then
 */
export function lineFailure(cause: ToolError, place: BatchPlace, last: boolean): ToolError {
  return cause.reworded(`${placeText(place, last)}${cause.message}`, { batch: place });
}

/** `setup:3: map delete devs key 9 (2 commands applied before): `, what a message about the line begins with. */
export function placeText({ file, line, command, applied }: BatchPlace, withApplied: boolean): string {
  const parts = [
    ...(command === undefined ? [] : [shortened(shellCommand(command))]),
    ...(withApplied ? [`(${applied === 0 ? 'nothing' : counted(applied, 'command', 'commands')} applied before)`] : []),
  ];
  return `${file}:${line}: ${parts.length === 0 ? '' : `${parts.join(' ')}: `}`;
}

/** Commands in messages are cut; the JSON object has the whole. */
function shortened(command: string): string {
  return command.length <= 160 ? command : `${command.slice(0, 159)}…`;
}
