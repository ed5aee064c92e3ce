import { usageError } from '../../domain/errors.ts';
import { parseUnsigned, U32_MAX } from './number.ts';
import { pinPath } from './pin-path.ts';
import type { WordList } from './word-list.ts';

/** How the user names a map (or a program, a link): by id, by name, or by where it is pinned. */
export type Handle =
  | { readonly by: 'id'; readonly id: number }
  | { readonly by: 'name'; readonly name: string }
  | { readonly by: 'pinned'; readonly path: string };

/** Takes `id N | name NAME | pinned PATH | NAME | /PATH` from the words. */
export function takeHandle(words: WordList, what: string): Handle {
  const word = words.take(`the ${what}`);
  switch (word) {
    case 'id':
      return { by: 'id', id: parseUnsigned(words.take(`the ${what}'s id`), `the ${what}'s id`, U32_MAX) };
    case 'name':
      return named(words.take(`the ${what}'s name`), what);
    case 'pinned':
      return { by: 'pinned', path: pinPath(words.take(`the ${what}'s pin`)) };
    default:
      return word.startsWith('/') ? { by: 'pinned', path: pinPath(word) } : named(word, what);
  }
}

/** A handle as the value of an option: `id:5`, `name:foo`, `pinned:PATH`, a path, or a bare name. */
export function parseHandle(value: string, what: string): Handle {
  const [, by, rest] = /^(id|name|pinned):(.*)$/s.exec(value) ?? [];
  if (by === 'id') return { by, id: parseUnsigned(rest ?? '', `the ${what}'s id`, U32_MAX) };
  if (by === 'name') return named(rest ?? '', what);
  if (by === 'pinned') return { by, path: pinPath(rest ?? '') };
  return value.startsWith('/') ? { by: 'pinned', path: pinPath(value) } : named(value, what);
}

/** The handle as it would be typed. */
export function handleText(handle: Handle): string {
  switch (handle.by) {
    case 'id':
      return `id ${handle.id}`;
    case 'name':
      return `name ${handle.name}`;
    case 'pinned':
      return handle.path;
  }
}

function named(name: string, what: string): Handle {
  if (name === '') throw usageError(`the ${what}'s name is an empty word`);
  return { by: 'name', name };
}
