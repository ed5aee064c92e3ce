import { commandName, optionForm } from '../help.ts';
import type { JsonSchema } from '../json-schema.ts';
import type { Example, VerbSpec } from '../verb.ts';
import { jsonKeys } from './json-keys.ts';
import { bold, display, form, item, paragraph, prose, type Roff, subsection } from './roff.ts';

/** The forms of a verb, one after another. */
export function synopsis(verb: VerbSpec): Roff {
  return verb.synopsis.flatMap((words, index) => [
    index === 0 ? '.PP' : '.br',
    `${bold(`xdpctl ${commandName(verb)}`)}${words === '' ? '' : ` ${form(words)}`}`,
  ]);
}

/** All that the manual says of one verb, from its data and the schema of its JSON. */
export function verbSection(verb: VerbSpec, schema: JsonSchema | undefined): Roff {
  return [
    subsection(commandName(verb)),
    ...synopsis(verb),
    ...paragraph(sentence(verb.summary)),
    ...(verb.description ?? []).flatMap(paragraph),
    ...(verb.arguments ?? []).flatMap(({ name, description }) => item(form(name), description)),
    ...(verb.options ?? []).flatMap((option) => item(optionTerm(optionForm(option)), option.description)),
    ...(verb.aliases === undefined ? [] : labelled('Other names:', verb.aliases.join(', '))),
    ...labelled('Changes:', verb.changes ?? 'nothing'),
    ...labelled('Needs:', verb.capabilities ?? 'no capability'),
    ...labelled('JSON:', verb.json ?? 'nothing is printed, except with --dry-run'),
    ...(schema === undefined ? [] : ['.RS', '.PD 0', ...jsonKeys(schema), '.PD', '.RE']),
    ...verb.examples.flatMap(exampleRoff),
  ];
}

/** An option as it is typed, its value in italics. */
export function optionTerm(typed: string): string {
  return typed
    .split(' ')
    .map((word) => (word.startsWith('-') ? word.replace(/^(-[-\w]+)/, bold) : form(word)))
    .join(' ');
}

function exampleRoff({ command, description, output, exit }: Example): Roff {
  return [
    ...paragraph(`Example: ${description}${exit === undefined ? '' : ` (exit ${exit})`}`),
    ...display([`# ${command}`, ...(output === undefined ? [] : output.replace(/^\n|\n$/g, '').split('\n'))]),
  ];
}

function labelled(label: string, text: string): Roff {
  return ['.PP', `\\fI${label}\\fR`, ...prose(`${text}.`)];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
