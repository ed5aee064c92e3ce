import { exitCodeMeanings } from '../domain/exit-code.ts';
import { type CatalogueObject, catalogue, loadVerbs } from './catalogue.ts';
import { globalOptionSpecs } from './global-options.ts';
import type { OptionSpec, VerbSpec } from './verb.ts';

const WIDTH = 100;

/** `xdpctl --help`. */
export function toolHelp(): string {
  return [
    'Usage: xdpctl [OPTIONS] OBJECT VERB [ARGUMENTS] [OPTIONS]\n',
    section(
      'Objects',
      catalogue.map(({ name, summary }) => [name, summary]),
    ),
    section('Options', optionRows(globalOptionSpecs)),
    section(
      'Exit codes',
      exitCodeMeanings.map(([code, meaning]) => [String(code), meaning]),
    ),
    "See 'xdpctl OBJECT help' for the verbs of an object, 'xdpctl OBJECT VERB --help' for one verb.\n",
  ].join('\n');
}

/** `xdpctl OBJECT help`. */
export async function objectHelp(object: CatalogueObject): Promise<string> {
  const verbs = await loadVerbs(object);
  const usage = verbs.flatMap((verb) =>
    verb.synopsis.map((form) => `  xdpctl ${commandName(verb)}${form === '' ? '' : ` ${form}`}`),
  );
  return [
    `xdpctl ${object.name}: ${object.summary}\n`,
    `Usage:\n${usage.join('\n')}\n`,
    section(
      'Verbs',
      verbs.map((verb) => [verbNames(verb), verb.summary]),
    ),
    `See 'xdpctl ${object.name} VERB --help' for one verb, 'man xdpctl-${object.name}' for all.\n`,
  ].join('\n');
}

/** `xdpctl OBJECT VERB --help`. */
export function verbHelp(verb: VerbSpec): string {
  const parts = [
    `Usage:\n${verb.synopsis.map((form) => `  xdpctl ${commandName(verb)}${form === '' ? '' : ` ${form}`}`).join('\n')}\n`,
    `${wrap(sentence(verb.summary), 0)}\n`,
    ...(verb.description ?? []).map((paragraph) => `${wrap(paragraph, 0)}\n`),
  ];
  if (verb.arguments !== undefined) {
    parts.push(
      section(
        'Arguments',
        verb.arguments.map(({ name, description }) => [name, description]),
      ),
    );
  }
  if (verb.options !== undefined && verb.options.length > 0) {
    parts.push(section('Options', optionRows(verb.options)));
  }
  parts.push(section('Options of every verb', optionRows(globalOptionSpecs)));
  if (verb.examples.length > 0) {
    parts.push(
      `Examples:\n${verb.examples.map(({ command, description }) => `  ${command}\n      ${description}`).join('\n')}\n`,
    );
  }
  return parts.join('\n');
}

/** `map update`, or `batch` where the verb is the object itself. */
export function commandName(verb: VerbSpec): string {
  return `${verb.object} ${verb.name}`;
}

/** An option with its value, as it is typed. */
export function optionForm({ name, short, value }: OptionSpec): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

function verbNames(verb: VerbSpec): string {
  return [verb.name, ...(verb.aliases ?? [])].join(', ');
}

function optionRows(specs: readonly OptionSpec[]): [string, string][] {
  return specs.map((spec) => [optionForm(spec), spec.description]);
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(30, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.map(([left, right]) => {
    const text = wrap(right, width + 4);
    return left.length > width ? `  ${left}\n${' '.repeat(width + 4)}${text}` : `  ${left.padEnd(width)}  ${text}`;
  });
  return `${title}:\n${lines.join('\n')}\n`;
}

/** Breaks text into lines; all but the first are indented. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + word.length + 1 > WIDTH - indent) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(indent)}`);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
