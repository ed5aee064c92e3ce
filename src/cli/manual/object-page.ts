import { exitCodeMeanings } from '../../domain/exit-code.ts';
import { type CatalogueObject, loadVerbs } from '../catalogue.ts';
import { globalOptionSpecs } from '../global-options.ts';
import { optionForm } from '../help.ts';
import { schemasOf } from '../schemas.ts';
import { blocksRoff } from './blocks.ts';
import { objectProse } from './object-prose.ts';
import { bold, item, literal, paragraph, prose, type Roff, section } from './roff.ts';
import { optionTerm, synopsis, verbSection } from './verb-section.ts';

/** The page of one object, without its title line. */
export async function objectPage(object: CatalogueObject, pages: readonly string[]): Promise<Roff> {
  const verbs = await loadVerbs(object);
  const schemas = await schemasOf(object.name);
  const { description, sections } = objectProse(object.name);
  return [
    section('name'),
    ...nameLine(`xdpctl-${object.name}`, object.summary),
    section('synopsis'),
    ...verbs.flatMap(synopsis),
    ...(description.length === 0 ? [] : [section('description'), ...blocksRoff(description)]),
    section('verbs'),
    ...verbs.flatMap((verb) => verbSection(verb, schemas[verb.name])),
    ...sections.flatMap(({ title, blocks }) => [section(title), ...blocksRoff(blocks)]),
    section('options of every verb'),
    ...optionItems(),
    section('exit status'),
    ...exitItems(),
    ...seeAlso(pages.filter((page) => page !== `xdpctl-${object.name}`)),
  ];
}

/** What apropos(1) finds: the page's name and what it is about. */
export function nameLine(page: string, summary: string): Roff {
  return [
    `${literal(page)} \\- ${summary.slice(0, summary.indexOf(' '))}`,
    ...prose(summary.slice(summary.indexOf(' '))),
  ];
}

/** The options that every verb takes. */
export function optionItems(): Roff {
  return globalOptionSpecs.flatMap((spec) => item(optionTerm(optionForm(spec)), spec.description));
}

/** The exit codes. */
export function exitItems(): Roff {
  return exitCodeMeanings.flatMap(([code, meaning]) => item(bold(String(code)), meaning));
}

/** References to our own pages, and to those of others. */
export function seeAlso(pages: readonly string[]): Roff {
  const own = pages.map((page) => `${page}(8)`);
  return [section('see also'), ...paragraph([...own, ...others].join(', '))];
}

const others = ['bpftool(8)', 'ip-netns(8)', 'ip-link(8)', 'ethtool(8)', 'bpf(2)', 'capabilities(7)'];
