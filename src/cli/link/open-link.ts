import { usageError } from '../../domain/errors.ts';
import { linkTypeName } from '../../domain/link-type.ts';
import type { LinkInfo } from '../../kernel/link-info.ts';
import { openPin } from '../../kernel/pin.ts';
import { XdpLink } from '../../kernel/xdp-link.ts';
import { type Handle, takeHandle } from '../words/handle.ts';
import type { WordList } from '../words/word-list.ts';

/** Takes `id N | pinned PATH | /PATH`. @throws ToolError usage for a name: links have none */
export function takeLink(words: WordList): Handle {
  const handle = takeHandle(words, 'link');
  if (handle.by !== 'name') return handle;
  throw usageError(
    `links have no names: '${handle.name}'`,
    ({ own }) => `name one by id N or pinned PATH; see: ${own(['link', 'show'])}`,
  );
}

/** Opens a link of any type. The caller closes it. @throws ToolError usage when something else is pinned there */
export function openLink(handle: Handle): XdpLink {
  if (handle.by === 'id') return XdpLink.byId(handle.id);
  if (handle.by === 'name') throw new Error('takeLink lets no name pass');
  const { kind, fd } = openPin(handle.path);
  if (kind === 'link') return new XdpLink(fd);
  fd[Symbol.dispose]();
  const what = kind === 'prog' ? 'program' : kind;
  throw usageError(
    `${handle.path} is a pinned ${what}, not a link`,
    ({ own }) => `see: ${own([kind, 'show', 'pinned', handle.path])}`,
  );
}

/** A link in a sentence: `xdp link 5`. */
export function linkText({ type, id }: LinkInfo): string {
  const kind = linkTypeName(type);
  return `${kind === undefined ? '' : `${kind} `}link ${id}`;
}
