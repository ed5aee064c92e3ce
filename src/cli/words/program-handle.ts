import { usageError } from '../../domain/errors.ts';
import { type Handle, handleText, parseHandle, takeHandle } from './handle.ts';
import type { WordList } from './word-list.ts';

/** How the user names a program: as other objects are named, by its tag, or as one that comes with the tool. */
export type ProgramHandle =
  | Handle
  | { readonly by: 'tag'; readonly tag: string }
  | {
      readonly by: 'builtin';
      readonly name: string;
      /** Not aware of fragments; nobody types that. */
      readonly plain?: boolean;
    };

/** Takes `id N | tag TAG | name NAME | pinned PATH | builtin NAME | NAME | /PATH` from the words. */
export function takeProgramHandle(words: WordList): ProgramHandle {
  if (words.accept('tag')) return byTag(words.take("the program's tag"));
  if (words.accept('builtin')) return { by: 'builtin', name: words.take("the builtin program's name") };
  return takeHandle(words, 'program');
}

/** A program as the value of an option: `id:5`, `tag:TAG`, `name:foo`, `pinned:PATH`, `builtin:pass`, a path, or a name. */
export function parseProgramHandle(value: string): ProgramHandle {
  const [, by, rest = ''] = /^(tag|builtin):(.*)$/s.exec(value) ?? [];
  if (by === 'tag') return byTag(rest);
  return by === 'builtin' ? { by, name: rest } : parseHandle(value, 'program');
}

/** The handle as it would be typed. */
export function programHandleText(handle: ProgramHandle): string {
  if (handle.by === 'tag') return `tag ${handle.tag}`;
  return handle.by === 'builtin' ? `builtin ${handle.name}` : handleText(handle);
}

/** The kernel's hash of the instructions: 8 bytes. */
function byTag(word: string): ProgramHandle {
  if (!/^[0-9a-f]{16}$/i.test(word)) throw usageError(`a program's tag is 16 hexadecimal digits, not '${word}'`);
  return { by: 'tag', tag: word.toLowerCase() };
}
