import { catalogue, loadVerbs } from '../catalogue.ts';
import { globalOptionSpecs } from '../global-options.ts';
import type { OptionSpec, Verb } from '../verb.ts';

/**
 * What may follow on a command line, from the data of the verbs. Words are literal, but for those with an `@`, which
 * stand for what the system has at that moment: interfaces, netns, pins, and ids and names of maps and programs; `@files`
 * for what the shell finds.
 */
export interface CompletionTable {
  /** By `OBJECT VERB`, either of which is empty while it has not been typed. */
  readonly words: ReadonlyMap<string, readonly string[]>;
  /** By `OBJECT VERB`, those of the verb alone. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** By `OBJECT VERB KEYWORD`: what follows the keyword. */
  readonly after: ReadonlyMap<string, readonly string[]>;
  /** By option: what its value may be. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly globalOptions: readonly string[];
}

/** What a word in capitals stands for in a synopsis or as the value of an option. */
const placeholders: Readonly<Record<string, readonly string[]>> = {
  MAP: ['id', 'name', 'pinned'],
  PROG: ['id', 'name', 'tag', 'pinned', 'builtin'],
  LINK: ['id', 'pinned'],
  PIN: ['@pins'],
  DEV: ['@interfaces'],
  IF: ['@interfaces'],
  FILE: ['@files'],
  OBJ: ['@files'],
  DIR: ['@files'],
  KEY: ['hex', '@interfaces'],
  VALUE: ['hex', 'dev', 'qsize', 'fd', '@interfaces'],
};

/** As the value of an option, a handle is one word. */
const optionPlaceholders: Readonly<Record<string, readonly string[]>> = {
  ...placeholders,
  MAP: ['@pins', '@map-names'],
  PROG: ['@pins', '@program-names'],
  'NAME|PID|PATH': ['@netns'],
};

/** The whole table; loads every verb. */
export async function completionTable(): Promise<CompletionTable> {
  const words = new Map<string, readonly string[]>([[' ', [...catalogue.map(({ name }) => name), 'help', 'version']]]);
  const options = new Map<string, readonly string[]>();
  const after = new Map<string, readonly string[]>();
  const values = new Map<string, readonly string[]>();
  addValues(values, globalOptionSpecs);
  for (const object of catalogue) {
    const verbs = await loadVerbs(object);
    words.set(`${object.name} `, [...verbs.flatMap(({ name, aliases = [] }) => [name, ...aliases]), 'help']);
    for (const verb of verbs) {
      addValues(values, verb.options ?? []);
      for (const name of [verb.name, ...(verb.aliases ?? [])]) {
        const command = `${object.name} ${name}`;
        words.set(command, wordsOf(verb));
        options.set(command, (verb.options ?? []).flatMap(forms));
        for (const [keyword, following] of keywordsOf(verb)) after.set(`${command} ${keyword}`, following);
      }
    }
  }
  return { words, options, after, values, globalOptions: globalOptionSpecs.flatMap(forms) };
}

/** An option as it is typed, long and short. */
function forms({ name, short }: OptionSpec): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

function addValues(values: Map<string, readonly string[]>, specs: readonly OptionSpec[]): void {
  for (const spec of specs) {
    if (spec.value === undefined) continue;
    const known = forms(spec).flatMap((form) => values.get(form) ?? []);
    const words = [...new Set([...known, ...(spec.choices ?? optionPlaceholders[spec.value] ?? [])])];
    for (const form of forms(spec)) values.set(form, words);
  }
}

/** The synopsis without its options. */
function synopsisWords(verb: Verb): readonly string[] {
  return verb.synopsis.map((form) => form.replaceAll(/\[?--[a-z-]+( [\w|\u2026]+)?\]?/g, ' '));
}

/** All the words that may stand somewhere after the verb. */
function wordsOf(verb: Verb): readonly string[] {
  const tokens = synopsisWords(verb).flatMap((form) =>
    // What follows a keyword is looked up by the keyword.
    [...form.matchAll(/(?<![a-z_] )\b[A-Z]+\b|[a-z_]+/g)].map(([token]) => token),
  );
  return [...new Set(tokens.flatMap((token) => (/^[a-z]/.test(token) ? [token] : meaning(verb, token))))];
}

/** The keywords with what follows each: `type TYPE`. */
function keywordsOf(verb: Verb): readonly (readonly [string, readonly string[]])[] {
  return synopsisWords(verb).flatMap((form) =>
    [...form.matchAll(/([a-z_]+) ([A-Z]+)\b/g)].map(([, keyword = '', placeholder = '']) => {
      return [keyword, meaning(verb, placeholder)] as const;
    }),
  );
}

function meaning(verb: Verb, placeholder: string): readonly string[] {
  const argument = verb.arguments?.find(({ name }) => name === placeholder);
  return argument?.choices ?? placeholders[placeholder] ?? [];
}
