import { catalogue, findObject, loadVerb } from './catalogue.ts';
import type { Verb } from './verb.ts';

/**
 * The verb that the words of a command name; undefined for help, version, and an object that has no verb of its own.
 *
 * @throws ToolError usage for an unknown word
 */
export async function findVerb(words: readonly string[]): Promise<Verb | undefined> {
  const [objectName, verbName] = words;
  if (objectName === undefined || objectName === 'help' || objectName === 'version') return undefined;
  const object = findObject(objectName);
  if (object === undefined) {
    const { unknownWord } = await import('./program.ts');
    const { bpftoolObject } = await import('./bpftool-words.ts');
    const known = catalogue.map(({ name }) => name);
    throw unknownWord('object', objectName, known, bpftoolObject(objectName) ?? 'see: xdpctl help');
  }
  if (verbName === 'help') return undefined;
  const name = verbName ?? object.defaultVerb;
  if (name === undefined) return undefined;
  const verb = await loadVerb(object, name);
  if (verb === undefined) {
    const { unknownWord } = await import('./program.ts');
    const { bpftoolVerb } = await import('./bpftool-words.ts');
    const known = [...Object.keys(object.verbs), ...Object.keys(object.aliases ?? {})];
    throw unknownWord(
      `verb of ${object.name}`,
      name,
      known,
      bpftoolVerb(object.name, name) ?? `see: xdpctl ${object.name} help`,
    );
  }
  return verb;
}
