import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { type CatalogueObject, catalogue, findObject, loadVerb, loadVerbs } from '../src/cli/catalogue.ts';
import { splitCommandLine } from '../src/cli/command-line.ts';
import { globalOptionSpecs } from '../src/cli/global-options.ts';
import { commandName, objectHelp, optionForm, toolHelp, verbHelp } from '../src/cli/help.ts';
import { parseOptions } from '../src/cli/program.ts';
import { schemasOf } from '../src/cli/schemas.ts';
import type { Verb } from '../src/cli/verb.ts';
import { dropCodes } from '../src/domain/drop-catalogue.ts';
import { exitCodeMeanings } from '../src/domain/exit-code.ts';
import { needProgram } from './support/need.ts';
import { promisedExitCodes, promisedOptions, promisedVerbs, wholeObjects } from './support/promised.ts';
import { tool } from './support/tool.ts';

const project = join(import.meta.dirname, '..');
const pages = readdirSync(join(project, 'man')).sort();
const objects = await Promise.all(catalogue.map(async (object) => ({ object, verbs: await loadVerbs(object) })));
const everyVerb = objects.flatMap(({ object, verbs }) =>
  verbs.map((verb) => ({ name: commandName(verb), object, verb })),
);

/** A page as it is read, every paragraph on one line. */
function readPage(name: string): string {
  const text = tool('man', ['-E', 'UTF-8', '-l', join(project, 'man', name)], {
    env: { ...process.env, MANPAGER: 'cat', MANWIDTH: '2000', MAN_KEEP_FORMATTING: '' },
  });
  // Bold and underlined characters are written over.
  return text.replaceAll(/.\u0008/gu, '');
}

describe('the manual pages', () => {
  it('are what the data of the verbs say', () => {
    const { status, stderr } = spawnSync(process.execPath, ['bin/dev/man.mjs', '--check'], {
      cwd: project,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('are one for the tool and one for each object', () => {
    expect(pages).toEqual(['xdpctl.8', ...catalogue.map(({ name }) => `xdpctl-${name}.8`)].sort());
  });

  it.for(pages)('%s is clean in the eyes of groff', (name, context) => {
    needProgram(context, 'man');
    needProgram(context, 'groff');
    const words = ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', join(project, 'man', name)];
    const { status, stderr } = spawnSync('man', words, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.for(pages)('%s is clean in the eyes of mandoc', (name, context) => {
    needProgram(context, 'mandoc');
    const { stdout } = spawnSync('mandoc', ['-Tlint', '-Wwarning', join(project, 'man', name)], { encoding: 'utf8' });
    expect(stdout).toBe('');
  });

  it('tell every option of every verb, exit code and object', (context) => {
    needProgram(context, 'man');
    const page = readPage('xdpctl.8');
    for (const option of globalOptionSpecs) expect(page).toContain(optionForm(option));
    for (const [code, meaning] of exitCodeMeanings) {
      expect(page).toMatch(new RegExp(`^ +${code} +${literally(meaning)}`, 'm'));
    }
    for (const { object, verbs } of objects) {
      expect(page).toContain(`xdpctl-${object.name}(8)`);
      for (const verb of verbs) expect(page).toMatch(new RegExp(`\\b${verb.object} ${verb.name}\\b`));
    }
  });

  it.for(objects)('tell every verb of $object.name', ({ object, verbs }, context) => {
    needProgram(context, 'man');
    const page = readPage(`xdpctl-${object.name}.8`);
    for (const verb of verbs) {
      for (const form of forms(verb)) expect(page).toContain(form.replaceAll('…', '...'));
      for (const option of verb.options ?? []) expect(page).toContain(optionForm(option));
      for (const { name } of verb.arguments ?? []) expect(page).toContain(name.replaceAll('…', '...'));
      for (const { command } of verb.examples) expect(page).toContain(`# ${command}`);
    }
    for (const [code] of exitCodeMeanings) expect(page).toMatch(new RegExp(`^ +${code} `, 'm'));
  });

  it('tell every code of a lost frame', (context) => {
    needProgram(context, 'man');
    const page = readPage('xdpctl-debug.8');
    for (const code of dropCodes) expect(page).toMatch(new RegExp(`^ +${code}$`, 'm'));
  });
});

describe('the verbs', () => {
  it.each(everyVerb)('$name has an example for people and one for programs', ({ verb }) => {
    const commands = verb.examples.map(({ command }) => command);
    expect(commands).toContainEqual(expect.stringMatching(/^xdpctl [a-z]/));
    expect(commands).toContainEqual(expect.stringMatching(/^xdpctl -[a-z]*[jp]/));
    for (const command of commands) expect(command).toContain(` ${commandName(verb)} `.trimEnd());
  });

  it.each(everyVerb)('$name has a schema of what it prints with --json', async ({ object, verb }) => {
    expect(Object.keys(await schemasOf(object.name))).toContain(verb.name);
  });

  it('have no schemas but theirs', async () => {
    for (const { object, verbs } of objects) {
      const names = verbs.map(({ name }) => name);
      for (const name of Object.keys(await schemasOf(object.name))) expect(names).toContain(name);
    }
  });
});

describe('what was promised', () => {
  it.each(everyVerb)('has $name with its options', ({ object, verb }) => {
    const promised = promisedVerbs[object.name]?.[verb.name];
    expect(promised, `${object.name} ${verb.name}`).toBeDefined();
    const options = (verb.options ?? []).map(({ name }) => name);
    expect(promised).toEqual(expect.arrayContaining(options));
    const missing = promised?.filter((name) => !options.includes(name));
    expect(wholeObjects.includes(object.name) ? missing : []).toEqual([]);
  });

  it.each(wholeObjects)('%s is there whole', (name) => {
    const verbs = Object.keys(findObject(name)?.verbs ?? {});
    expect(verbs.toSorted()).toEqual(Object.keys(promisedVerbs[name] ?? {}).toSorted());
  });

  it('are these options of every verb, and these exit codes', () => {
    const options = globalOptionSpecs.map((option) => optionForm(option).replace(/ [A-Z|]+$/, ''));
    expect(options.toSorted()).toEqual(promisedOptions.toSorted());
    expect(exitCodeMeanings.map(([code]) => code)).toEqual(promisedExitCodes);
  });
});

describe('help', () => {
  it('tells every object, option and exit code', () => {
    const help = toolHelp();
    for (const { name } of catalogue) expect(help).toMatch(new RegExp(`^  ${name} `, 'm'));
    for (const option of globalOptionSpecs) expect(help).toContain(optionForm(option));
    for (const code of promisedExitCodes) expect(help).toMatch(new RegExp(`^  ${code} `, 'm'));
  });

  it.each(objects)('tells every verb of $object.name', async ({ object, verbs }) => {
    const help = await objectHelp(object);
    for (const verb of verbs) {
      for (const form of forms(verb)) expect(help).toContain(form);
    }
  });

  it.each(everyVerb)('tells every option of $name', ({ verb }) => {
    const help = verbHelp(verb);
    for (const option of verb.options ?? []) expect(help).toContain(optionForm(option));
    for (const { command } of verb.examples) expect(help).toContain(command);
  });
});

describe('the README', () => {
  const readme = readFileSync(join(project, 'README.md'), 'utf8');
  // In blocks of commands, and in backquotes.
  const commands = [...readme.matchAll(/(?:^# |`|\()xdpctl ((?:[^`\n)&|]| \| )+)/gm)].map(([, words]) => words ?? '');

  it('shows commands', () => {
    expect(commands.length).toBeGreaterThan(10);
  });

  it.each(commands)('xdpctl %s is a command', async (text) => {
    const argv = text.trim().split(' ');
    const { words } = splitCommandLine(argv);
    const object = findObject(words[0] ?? '');
    expect(object).toBeDefined();
    if (words.length === 1) return;
    const verb = await verbOf(object, words[1] ?? '');
    const line = splitCommandLine(argv, [...(verb.options ?? []), ...globalOptionSpecs]);
    expect(() => parseOptions(line.optionTokens, verb.options ?? [])).not.toThrow();
  });

  it('tells every exit code', () => {
    for (const code of promisedExitCodes) expect(readme).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});

/** The forms of a command, as they are typed. */
function forms(verb: Verb): string[] {
  return verb.synopsis.map((form) => `xdpctl ${commandName(verb)} ${form}`.trim());
}

async function verbOf(object: CatalogueObject | undefined, name: string): Promise<Verb> {
  const verb = object && (await loadVerb(object, name));
  if (verb === undefined) throw new Error(`there is no ${object?.name} ${name}`);
  return verb;
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
