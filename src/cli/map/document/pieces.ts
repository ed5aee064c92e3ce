import { errnoName } from '../../../domain/errno.ts';
import { entryChunks } from '../../../kernel/map-entries.ts';
import type { BpfMap } from '../../../kernel/map.ts';
import { keyName } from '../lookup.ts';
import type { EntryTexts } from './entry-texts.ts';
import { DOCUMENT_VERSION } from './format.ts';
import type { Omissions } from './omissions.ts';

/** Entries in a piece of text. */
const STEP = 1024;

/**
 * The document of a map, piece by piece. One that breaks off is closed all the same, and says that it is not complete,
 * so that nobody takes it for the whole map.
 *
 * @param dense leaves out all white space
 */
export function* documentPieces(
  map: BpfMap,
  texts: EntryTexts | undefined,
  omissions: Omissions,
  dense: boolean,
): Generator<string> {
  const layout = dense ? denseLayout : roomyLayout;
  let complete = false;
  let first = true;
  yield `${layout.open}${DOCUMENT_VERSION}${layout.map}${JSON.stringify(specification(map))}${layout.entries}`;
  try {
    for (const piece of texts === undefined ? [] : entryLists(map, texts, omissions)) {
      yield `${first ? layout.first : layout.next}${piece.join(layout.next)}`;
      first = false;
    }
    complete = true;
  } finally {
    yield `${first ? '' : layout.last}${layout.complete}${complete}${layout.close}`;
  }
}

function* entryLists(map: BpfMap, texts: EntryTexts, omissions: Omissions): Generator<string[]> {
  const { keySize } = map.info;
  const { valueLength } = map;
  for (const { count, keys, values, errnos } of entryChunks(map, { unreadable: true })) {
    let list: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const errno = errnos?.[index] ?? 0;
      if (errno !== 0) omissions.because('unreadable', errnoName(errno) ?? `errno ${errno}`);
      const key = errno === 0 ? texts.key(keys, index * keySize) : undefined;
      const value = key === undefined ? undefined : texts.value(values, index * valueLength);
      if (value === undefined) {
        omissions.leaveOut(keyName(keys.subarray(index * keySize, (index + 1) * keySize)));
      } else list.push(`{"key":${key},"value":${value}}`);
      if (list.length === STEP) {
        yield list;
        list = [];
      }
    }
    if (list.length > 0) yield list;
  }
}

function specification({ info }: BpfMap): object {
  return {
    type: info.typeName,
    ...(info.name !== '' && { name: info.name }),
    bytes_key: info.keySize,
    bytes_value: info.valueSize,
    max_entries: info.maxEntries,
    flags: info.flags,
  };
}

const denseLayout = {
  open: '{"xdpctl":',
  map: ',"map":',
  entries: ',"entries":[',
  first: '',
  next: ',',
  last: '',
  complete: '],"complete":',
  close: '}',
};

const roomyLayout = {
  open: '{\n    "xdpctl": ',
  map: ',\n    "map": ',
  entries: ',\n    "entries": [',
  first: '\n        ',
  next: ',\n        ',
  last: '\n    ',
  complete: '],\n    "complete": ',
  close: '\n}',
};
