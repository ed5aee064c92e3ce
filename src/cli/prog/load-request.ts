import { type ToolError, usageError } from '../../domain/errors.ts';
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

/**
 * Reads `OBJ PIN [type TYPE] [map idx N|name NAME MAP]… [pinmaps DIR]`.
 *
 * @param all whether the pin is the directory of those of all programs
 * @throws ToolError usage
 */
export function parseLoadRequest(list: readonly string[], all = false): LoadRequest {
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
        throw notOurs(keyword, file, all ? `${pin}/NAME` : pin) ?? unknown(keyword);
    }
  }
  return { file, pin, type, replacements, mapPins };
}

function unknown(keyword: string): ToolError {
  return usageError(`unknown word '${keyword}'`, 'keywords are type, map, pinmaps');
}

/** The error for a keyword of bpftool's, with what to type instead; undefined for any other word. */
function notOurs(keyword: string, file: string, pin: string): ToolError | undefined {
  switch (keyword) {
    case 'autoattach':
      return usageError(
        `'autoattach' names no interface, and an XDP program needs one`,
        ({ own }) =>
          `leave it out, and attach what is pinned: ${own(['net', 'attach', 'xdpdrv', 'pinned', pin, 'dev', 'IF'])}; or both in one: ${own(['redirect', 'attach', 'IF', '--object', file])}`,
      );
    case 'dev':
    case 'offload_dev':
      return usageError(
        `'${keyword}' loads programs for a card that runs them itself, and such a card redirects nothing`,
        ({ own }) =>
          `leave it out, and attach in native mode: ${own(['net', 'attach', 'xdpdrv', 'pinned', pin, 'dev', 'IF'])}; what bpftool has loaded for a card is attached by: ${own(['net', 'attach', 'xdpoffload', 'pinned', pin, 'dev', 'IF'])}`,
      );
    case 'xdpmeta_dev':
      return usageError(
        `'xdpmeta_dev' binds programs to an interface, which prog load does not do`,
        ({ own }) =>
          `load with bpftool prog load, then attach: ${own(['net', 'attach', 'xdpdrv', 'pinned', pin, 'dev', 'IF'])}`,
      );
    case 'kernel_btf':
      return usageError(
        `'kernel_btf' is for kernels that do not tell their types, which prog load needs them to`,
        'leave it out; where it is needed, load with bpftool prog load',
      );
    default:
      return undefined;
  }
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
