import { usageError } from '../../domain/errors.ts';
import { sectionType } from '../../kernel/object.ts';
import { type Handle, takeHandle } from '../words/handle.ts';
import { parseUnsigned, U32_MAX } from '../words/number.ts';
import { pinPath } from '../words/pin-path.ts';
import { WordList } from '../words/word-list.ts';

/** A map that takes the place of one of the file's: by its position among all maps of the file, or its name there. */
export interface Replacement {
  readonly of: number | string;
  readonly map: Handle;
}

/** What `prog load` and `prog loadall` were asked for. */
export interface LoadRequest {
  readonly file: string;
  /** The pin of the first program; for loadall the directory of the pins of all. */
  readonly pin: string;
  /** What all programs are loaded as; undefined: what their sections say. */
  readonly type: { readonly type: number; readonly attachType: number } | undefined;
  readonly replacements: readonly Replacement[];
  /** Directory of the pins of the maps. */
  readonly mapPins: string | undefined;
}

/** Reads `OBJ PIN [type TYPE] [map idx N|name NAME MAP]… [pinmaps DIR]`. @throws ToolError usage */
export function parseLoadRequest(list: readonly string[]): LoadRequest {
  const words = new WordList(list);
  const file = words.take('the file of programs');
  if (file === '') throw usageError('the file is an empty word');
  if (file.includes('\0')) throw usageError('a path cannot contain a zero byte');
  const pin = pinPath(words.take('the pin'));
  let type: LoadRequest['type'];
  let mapPins: string | undefined;
  const replacements: Replacement[] = [];
  while (!words.done) {
    const keyword = words.take('the keyword');
    if ((keyword === 'type' && type !== undefined) || (keyword === 'pinmaps' && mapPins !== undefined)) {
      throw usageError(`'${keyword}' is given twice`);
    }
    switch (keyword) {
      case 'type':
        type = programType(words.take('the type'));
        break;
      case 'map':
        replacements.push(takeReplacement(words, replacements));
        break;
      case 'pinmaps':
        mapPins = pinPath(words.take('the directory of pins'));
        break;
      default:
        throw usageError(`unknown word '${keyword}'`, 'keywords are type, map, pinmaps');
    }
  }
  return { file, pin, type, replacements, mapPins };
}

function takeReplacement(words: WordList, before: readonly Replacement[]): Replacement {
  const by = words.take("'idx' or 'name'");
  if (by !== 'idx' && by !== 'name') throw usageError(`expected 'idx' or 'name' after 'map', not '${by}'`);
  const word = words.take(by === 'idx' ? "the map's position" : "the map's name");
  const of = by === 'idx' ? parseUnsigned(word, "the map's position", U32_MAX) : word;
  if (before.some((other) => other.of === of)) throw usageError(`the map ${by} ${of} is given twice`);
  return { of, map: takeHandle(words, 'map') };
}

/** bpftool's words for types are the names of sections. */
function programType(word: string): NonNullable<LoadRequest['type']> {
  const found = sectionType(word) ?? sectionType(`${word}/`);
  if (found === undefined) {
    throw usageError(
      `'${word}' is no type of program that libbpf knows`,
      'such as xdp, xdp/devmap, xdp/cpumap, xdp.frags',
    );
  }
  return found;
}
