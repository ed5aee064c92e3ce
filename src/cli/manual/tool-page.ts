import { catalogue, loadVerbs } from '../catalogue.ts';
import { commandName } from '../help.ts';
import { type Block, blocksRoff, type Section } from './blocks.ts';
import { exitItems, nameLine, optionItems, seeAlso } from './object-page.ts';
import { privilegeBlocks } from './privilege-table.ts';
import { form, item, paragraph, bold, type Roff, section } from './roff.ts';
import {
  capabilityRules,
  differences,
  environment,
  files,
  handles,
  introduction,
  namespaces,
  signals,
  streams,
} from './tool-prose.ts';

/** The page of the tool as a whole, without its title line. */
export async function toolPage(pages: readonly string[]): Promise<Roff> {
  return [
    section('name'),
    ...nameLine('xdpctl', 'manage XDP redirect: maps, programs, AF_XDP sockets, and the frames that get lost'),
    section('synopsis'),
    '.PP',
    `${bold('xdpctl')} ${form('[OPTIONS] OBJECT VERB [ARGUMENTS] [OPTIONS]')}`,
    '.br',
    `${bold('xdpctl')} ${form('help [OBJECT [VERB]]')}`,
    '.br',
    `${bold('xdpctl')} ${form('[--json] version')}`,
    '.PP',
    form(`OBJECT := { ${catalogue.map(({ name }) => name).join(' | ')} }`),
    ...roffOf(introduction(catalogue.map(({ name }) => name))),
    section('objects'),
    ...(await objectItems()),
    section('options'),
    ...paragraph('They stand anywhere on the line; `--` ends options. A word with a dash before a digit is a number.'),
    ...optionItems(),
    ...roffOf(handles),
    ...roffOf(streams),
    section('exit status'),
    ...exitItems(),
    ...paragraph('A command that a signal stopped between two steps dies of it: 130, 143, 129 in a shell.'),
    ...roffOf(environment),
    ...roffOf(capabilityRules),
    ...blocksRoff(await capabilityItems()),
    ...blocksRoff(privilegeBlocks()),
    ...roffOf(namespaces),
    ...roffOf(signals),
    ...roffOf(files),
    ...roffOf(differences),
    ...seeAlso(pages.filter((page) => page !== 'xdpctl')),
  ];
}

function roffOf({ title, blocks }: Section): Roff {
  return [section(title), ...blocksRoff(blocks)];
}

async function objectItems(): Promise<Roff> {
  const items = await Promise.all(
    catalogue.map(async (object) => {
      const verbs = (await loadVerbs(object)).flatMap(({ name, aliases = [] }) => [name, ...aliases]);
      return item(bold(object.name), `${object.summary}: ${verbs.join(', ')}. See xdpctl-${object.name}(8).`);
    }),
  );
  return items.flat();
}

/** What each verb needs; verbs that need the same stand together. */
async function capabilityItems(): Promise<Block[]> {
  const verbsByNeed = new Map<string, string[]>();
  for (const object of catalogue) {
    for (const verb of await loadVerbs(object)) {
      const need = verb.capabilities ?? 'none';
      verbsByNeed.set(need, [...(verbsByNeed.get(need) ?? []), commandName(verb)]);
    }
  }
  return [...verbsByNeed].map(([need, verbs]) => [verbs.join(', '), need]);
}
