import * as fc from 'fast-check';

import { parseLoadRequest } from '../../../src/cli/prog/load-request.ts';
import { parseWish } from '../../../src/cli/redirect/wish-options.ts';
import type { Input } from '../../../src/cli/verb.ts';
import { parseBytes } from '../../../src/cli/words/bytes.ts';
import { parseCpus } from '../../../src/cli/words/cpus.ts';
import { parseDuration } from '../../../src/cli/words/duration.ts';
import { parseMapFlags } from '../../../src/cli/words/flags.ts';
import { handleText, parseHandle, takeHandle } from '../../../src/cli/words/handle.ts';
import { takeKey } from '../../../src/cli/words/key.ts';
import { looksNumeric, parseUnsigned, parseUnsigned64, plainByte } from '../../../src/cli/words/number.ts';
import { pinPath } from '../../../src/cli/words/pin-path.ts';
import { parseProgramHandle, programHandleText, takeProgramHandle } from '../../../src/cli/words/program-handle.ts';
import { takeValue } from '../../../src/cli/words/value.ts';
import { WordList } from '../../../src/cli/words/word-list.ts';
import { parseBindRequest } from '../../../src/cli/xsk/bind-request.ts';
import { mapFlagText } from '../../../src/domain/map-flags.ts';
import type { MapInfo } from '../../../src/domain/map-info.ts';
import { isPerCpu, type MapTypeName, mapTypeNames, mapTypeNumber } from '../../../src/domain/map-type.ts';
import { asOption, checkWish } from '../../../src/domain/path-wish.ts';
import { must, mustEqual, tame, target } from '../target.ts';
import { anyText, lines, numberWord } from '../texts.ts';

const keywords = [
  'hex',
  'dev',
  'prog',
  'id',
  'name',
  'pinned',
  'tag',
  'builtin',
  'qsize',
  'fd',
  'any',
  'key',
  'lo',
  '/x',
];

/** A map of any type, with sizes that the kernel allows it or not. */
const mapInfo: fc.Arbitrary<MapInfo> = fc
  .record({
    typeName: fc.oneof(
      fc.constantFrom<MapTypeName>('devmap', 'devmap_hash', 'cpumap', 'xskmap'),
      fc.constantFrom(...mapTypeNames),
    ),
    keySize: fc.oneof(fc.constant(4), fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 12, 16)),
    valueSize: fc.oneof(fc.constantFrom(4, 8), fc.constantFrom(0, 1, 2, 3, 4, 6, 8, 16, 64)),
    maxEntries: fc.oneof(fc.nat(300), fc.nat(0xffff_ffff)),
  })
  .map(({ typeName, keySize, valueSize, maxEntries }) => {
    const isRedirect = /devmap|cpumap|xskmap/.test(typeName);
    return {
      id: 1,
      type: mapTypeNumber(typeName) ?? 0,
      typeName,
      name: 'm',
      keySize: isRedirect ? 4 : keySize,
      valueSize: typeName === 'xskmap' ? 4 : isRedirect && valueSize !== 4 ? 8 : valueSize,
      maxEntries,
      flags: 0,
      ifindex: 0,
      btfId: 0,
      btfKeyTypeId: 0,
      btfValueTypeId: 0,
      btfVmlinuxId: 0,
      btfVmlinuxValueTypeId: 0,
    };
  });

/** The options of a verb with any values. */
function inputs(names: readonly string[], switches: readonly string[]): fc.Arbitrary<Input> {
  const value = fc.oneof(
    numberWord,
    anyText,
    fc.constantFrom('02:00:00:00:00:01', '0-3,6', 'ingress', 'queue', 'native', '10s', 'id:5', 'builtin:pass', 'drop'),
  );
  const valued = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6, noNullPrototype: true });
  const given = fc.dictionary(fc.constantFrom(...switches), fc.constant(true as const), {
    maxKeys: 4,
    noNullPrototype: true,
  });
  return fc
    .record({ words: fc.array(fc.oneof(fc.constant('lo'), anyText), { maxLength: 2 }), valued, given })
    .map(({ words, valued: one, given: other }) => ({ words, options: { ...one, ...other } }));
}

/** A number as C and people agree on it; undefined for all else. */
function model(word: string): bigint | undefined {
  if (!/^(?:0x[0-9a-f]+|0X[0-9a-f]+|0[0-7]|0|[1-9][0-9]*)$/i.test(word)) return undefined;
  return BigInt(word);
}

export const wordTargets = [
  target({
    name: 'words/number',
    arbitrary: fc.record({ word: fc.oneof(numberWord, anyText), max: fc.constantFrom(255, 0xffff, 0xffff_ffff) }),
    check({ word, max }) {
      const number = model(word);
      const small = tame(() => parseUnsigned(word, 'the number', max));
      mustEqual(small, number === undefined || number > BigInt(max) ? undefined : Number(number), 'the number');
      const large = tame(() => parseUnsigned64(word, 'the number'));
      mustEqual(large, number === undefined || number >= 2n ** 64n ? undefined : number, 'the number of 64 bits');
      const byte = plainByte(word);
      must(byte === -1 || BigInt(byte) === number, `${word} is the byte ${byte}`);
      if (number !== undefined) must(looksNumeric(word), `${word} does not look like a number`);
    },
  }),
  target({
    name: 'words/bytes',
    arbitrary: fc.record({ list: lines(['hex']), size: fc.nat(9) }),
    check({ list, size }) {
      const words = new WordList(list);
      const bytes = tame(() => parseBytes(words, size, 'value'));
      if (bytes === undefined) return;
      mustEqual(bytes.length, size, 'the length');
      mustEqual(list.length - words.left, size + (list[0] === 'hex' ? 1 : 0), 'how many words were taken');
      const again = [...bytes].map(String);
      mustEqual(parseBytes(new WordList(again), size, 'value'), bytes, 'what is typed again');
    },
  }),
  target({
    name: 'words/key',
    arbitrary: fc.record({ list: lines(keywords), info: mapInfo }),
    check({ list, info }) {
      const words = new WordList(list);
      const key = tame(() => {
        const taken = takeKey(words, info, new Uint8Array(info.keySize));
        words.end();
        return taken;
      });
      if (key === undefined) return;
      mustEqual(key.length, info.keySize, 'the length');
      const again = ['hex', ...[...key].map((byte) => byte.toString(16))];
      mustEqual(takeKey(new WordList(again), info), key, 'what is typed again');
    },
  }),
  target({
    name: 'words/value',
    arbitrary: fc.record({ list: lines(keywords), info: mapInfo }),
    check({ list, info }) {
      const words = new WordList(list);
      const value = tame(() => {
        const taken = takeValue(words, info, new Uint8Array(info.valueSize));
        words.end();
        return taken;
      });
      if (value === undefined) return;
      must(isPerCpu(info.typeName) || value.bytes.length === info.valueSize, `${value.bytes.length} bytes`);
      must(words.done, 'words are left');
    },
  }),
  target({
    name: 'words/handle',
    arbitrary: fc.record({
      list: lines(keywords),
      word: fc.oneof(
        anyText,
        anyText.map((text) => `name:${text}`),
      ),
    }),
    check({ list, word }) {
      const handle = tame(() => parseHandle(word, 'map'));
      if (handle !== undefined) mustEqual(takeHandle(new WordList(handleWords(handleText(handle))), 'map'), handle);
      const program = tame(() => parseProgramHandle(word));
      if (program !== undefined) {
        mustEqual(takeProgramHandle(new WordList(handleWords(programHandleText(program)))), program);
      }
      tame(() => takeHandle(new WordList(list), 'map'));
      tame(() => takeProgramHandle(new WordList(list)));
    },
  }),
  target({
    name: 'words/pin-path',
    arbitrary: anyText,
    check(word) {
      const path = tame(() => pinPath(word));
      if (path === undefined) return;
      must(path.startsWith('/') && !path.includes('\0'), `the path ${JSON.stringify(path)}`);
      mustEqual(pinPath(path), path, 'its path');
    },
  }),
  target({
    name: 'words/flags',
    arbitrary: fc.oneof(
      anyText,
      numberWord,
      fc
        .array(fc.constantFrom('rdonly', 'wronly', 'numa_node', 'mmapable', '', 'x', '__proto__'), { maxLength: 5 })
        .map((list) => list.join(',')),
    ),
    check(word) {
      const flags = tame(() => parseMapFlags(word));
      if (flags === undefined) return;
      must(Number.isInteger(flags) && flags >= 0 && flags <= 0xffff_ffff, `the flags ${flags}`);
      const text = mapFlagText(flags);
      if (/^[a-z_,]+$/.test(text)) mustEqual(parseMapFlags(text), flags, 'what is typed again');
    },
  }),
  target({
    name: 'words/duration',
    arbitrary: fc.oneof(
      anyText,
      fc
        .tuple(fc.oneof(numberWord, fc.double().map(String)), fc.constantFrom('', 's', 'ms', 'm', 'h', 'd', ' s'))
        .map((parts) => parts.join('')),
    ),
    check(word) {
      const ms = tame(() => parseDuration(word, '--duration'));
      if (ms === undefined) return;
      must(Number.isInteger(ms) && ms >= 1, `${ms} ms`);
      mustEqual(parseDuration(`${ms}ms`, '--duration'), ms, 'what is typed again');
    },
  }),
  target({
    name: 'words/cpus',
    arbitrary: fc.oneof(
      anyText,
      fc
        .array(
          fc.oneof(
            numberWord,
            fc.tuple(numberWord, numberWord).map((pair) => pair.join('-')),
            fc.tuple(fc.nat(300), fc.nat(300)).map((pair) => pair.join('-')),
          ),
          { maxLength: 4 },
        )
        .map((list) => list.join(',')),
    ),
    check(word) {
      const cpus = tame(() => parseCpus(word, '--cpus'));
      if (cpus === undefined) return;
      mustEqual(new Set(cpus).size, cpus.length, 'the number of different CPUs');
      mustEqual(parseCpus(cpus.join(','), '--cpus'), cpus, 'what is typed again');
    },
  }),
  target({
    name: 'words/redirect-attach',
    arbitrary: inputs(
      [
        'egress',
        'dst-mac',
        'src-mac',
        'cpus',
        'qsize',
        'prog',
        'map',
        'object',
        'program',
        'key',
        'on-miss',
        'mode',
        'to',
      ],
      ['broadcast', 'exclude-ingress', 'xsk', 'link'],
    ),
    check(input) {
      tame(() => {
        const { to, ...others } = input.options;
        const wish = parseWish(input.words[0] ?? '', {
          ...input,
          options: { ...others, ...(typeof to === 'string' && { to: [to] }) },
        });
        checkWish(wish, asOption);
      });
    },
  }),
  target({
    name: 'words/xsk-bind',
    arbitrary: inputs(
      [
        'queue',
        'map',
        'mode',
        'frames',
        'frame-size',
        'rx-size',
        'fill-size',
        'count',
        'duration',
        'interval',
        'action',
        'write',
      ],
      ['attach', 'copy', 'zero-copy', 'overwrite', 'busy'],
    ),
    check(input) {
      const request = tame(() => parseBindRequest(input));
      if (request === undefined) return;
      const { frames, frameSize, rxSize, fillSize } = request.spec;
      must(frames * frameSize <= 2 ** 30, `${frames} frames of ${frameSize} bytes`);
      for (const size of [rxSize, fillSize]) must(Number.isInteger(Math.log2(size)), `a ring of ${size}`);
    },
  }),
  target({
    name: 'words/prog-load',
    arbitrary: lines(['type', 'map', 'idx', 'name', 'pinmaps', 'xdp', 'id', 'pinned', '/x', 'a.o']),
    check(list) {
      tame(() => parseLoadRequest(list));
    },
  }),
];

/** The words of a handle, of which names and paths may have blanks. */
function handleWords(text: string): string[] {
  const [, keyword, rest] = /^(id|name|tag|builtin) (.*)$/s.exec(text) ?? [];
  return keyword === undefined ? ['pinned', text] : [keyword, rest ?? ''];
}
