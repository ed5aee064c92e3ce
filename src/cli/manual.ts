import { catalogue } from './catalogue.ts';
import { objectPage } from './manual/object-page.ts';
import { literal, type Roff } from './manual/roff.ts';
import { toolPage } from './manual/tool-page.ts';

/** A manual page with the name of its file. */
export interface ManualPage {
  readonly file: string;
  readonly text: string;
}

export interface Edition {
  readonly version: string;
  /** Of the version, e.g. `2026-11-27`. */
  readonly date: string;
}

/** The whole manual: a page for the tool and one for each object, all from the catalogue. */
export async function manualPages(edition: Edition): Promise<readonly ManualPage[]> {
  const names = ['xdpctl', ...catalogue.map(({ name }) => `xdpctl-${name}`)];
  const objectPages = await Promise.all(
    catalogue.map(async (object) => page(`xdpctl-${object.name}`, edition, await objectPage(object, names))),
  );
  return [page('xdpctl', edition, await toolPage(names)), ...objectPages];
}

function page(name: string, { version, date }: Edition, body: Roff): ManualPage {
  const head = [
    '.\\" Made by bin/dev/man.mjs from the data of the verbs: change those, then npm run man.',
    `.TH ${literal(name.toUpperCase())} 8 ${date} "xdpctl ${version}" "XDP redirect"`,
    // The macros begin each paragraph with the register, which takes words apart by default.
    '.nr HY 0',
    '.nh',
    '.ad l',
  ];
  return { file: `${name}.8`, text: `${withoutNeedlessBreaks([...head, ...body]).join('\n')}\n` };
}

/** A heading begins a paragraph by itself. */
function withoutNeedlessBreaks(lines: Roff): Roff {
  return lines.filter((line, index) => line !== '.PP' || !/^\.S[HS] /.test(lines[index - 1] ?? ''));
}
