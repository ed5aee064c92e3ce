import * as fc from 'fast-check';

import type { Context } from '../../../src/cli/context.ts';
import { parseDocument } from '../../../src/cli/map/document/format.ts';
import { placed, readEntries } from '../../../src/cli/map/document/import-table.ts';
import type { Programs } from '../../../src/cli/map/document/names.ts';
import { parseRedirects } from '../../../src/cli/redirect/document.ts';
import { toToolError } from '../../../src/cli/to-tool-error.ts';
import { parseProgramHandle } from '../../../src/cli/words/program-handle.ts';
import type { MapTypeName } from '../../../src/domain/map-type.ts';
import { isPerCpu, mapTypeNumber } from '../../../src/domain/map-type.ts';
import { wishOf } from '../../../src/domain/path-document.ts';
import { asKey, checkWish, type PathWish } from '../../../src/domain/path-wish.ts';
import { missActions } from '../../../src/domain/redirect-config.ts';
import type { DeviceEntry, EntryProgram, RedirectPath } from '../../../src/domain/redirect-path.ts';
import { possibleCpus } from '../../../src/kernel/cpu.ts';
import type { BpfMap } from '../../../src/kernel/map.ts';
import { jsonText } from '../../../src/output/json.ts';
import { mutantJson, mutantTexts } from '../mutants.ts';
import { asyncTarget, must, mustBePrintable, mustEqual, tame, tameAsync, target } from '../target.ts';
import { anyText, nasty } from '../texts.ts';

const context = { breathe: () => undefined } as unknown as Context;

const mapDocuments = [
  '{"xdpctl":1,"map":{"type":"devmap","name":"forward","bytes_key":4,"bytes_value":8,"max_entries":64,"flags":128},"entries":[{"key":0,"value":{"dev":"lo"}},{"key":["0x01","0x00","0x00","0x00"],"value":{"dev":"lo","prog":"name:egress"}},{"key":"lo","value":{"dev":"eth0"}}],"complete":true}',
  '{"xdpctl":1,"map":{"type":"hash","bytes_key":8,"bytes_value":4},"entries":[{"key":"18446744073709551615","value":7},{"key":["0x00","0x01","0x02","0x03","0x04","0x05","0x06","0x07"],"value":[1,2,3,4]}],"complete":true}',
  '{"xdpctl":1,"map":{"type":"cpumap","bytes_key":4,"bytes_value":8},"entries":[{"key":0,"value":{"qsize":192,"prog":"/sys/fs/bpf/p"}}]}',
  '{"xdpctl":1,"map":{"type":"percpu_array","bytes_key":4,"bytes_value":4},"entries":[{"key":0,"value":[1,2]}]}',
];

const redirectDocuments = [
  '{"xdpctl":1,"redirects":[{"dev":"eth0","to":["eth1",{"dev":"eth2","key":5,"egress":"builtin:pass"}],"key":"queue"},{"dev":"eth3","cpus":[0,{"cpu":1,"qsize":64}],"qsize":128,"mode":"generic","link":true}]}',
  '{"xdpctl":1,"redirects":[{"dev":"eth0","to":["eth1","eth2"],"broadcast":true,"exclude_ingress":true,"dst_mac":"02:00:00:00:00:01"},{"dev":"a","map":"/sys/fs/bpf/m","key":3,"on_miss":"drop"},{"dev":"b","xsk":true},{"dev":"c","object":"x.o","program":"p"}]}',
];

/** JSON of the right shape with anything in it. */
const json: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    1,
    -1,
    1.5,
    255,
    256,
    2 ** 32,
    2 ** 53,
    1e300,
    '',
    'lo',
    'name:x',
    [],
    {},
    [1, 2, 3, 4],
  ),
  nasty,
  fc.array(
    fc.oneof(
      fc.nat(255).map((byte) => `0x${byte.toString(16)}`),
      fc.nat(300),
    ),
    { maxLength: 9 },
  ),
  fc.record({ dev: fc.oneof(fc.constant('lo'), nasty), prog: nasty }, { requiredKeys: [] }),
  fc.record({ qsize: fc.integer(), prog: nasty }, { requiredKeys: [] }),
);

function documentsNear(originals: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 5, arbitrary: mutantJson(originals, json) },
    { weight: 3, arbitrary: mutantTexts(originals) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: anyText },
  );
}

const mapTypes: readonly MapTypeName[] = [
  'devmap',
  'devmap_hash',
  'cpumap',
  'hash',
  'array',
  'percpu_array',
  'lpm_trie',
];

/** A map that only says what it is; entries are read without touching it. */
function mapOf(typeName: MapTypeName, keySize: number, valueSize: number): BpfMap {
  const info = {
    id: 1,
    type: mapTypeNumber(typeName),
    typeName,
    name: 'm',
    keySize,
    valueSize,
    maxEntries: 64,
    flags: 0,
  };
  const valueLength = isPerCpu(typeName) ? Math.ceil(valueSize / 8) * 8 * possibleCpus() : valueSize;
  return { info, valueLength } as unknown as BpfMap;
}

const programs = {
  idOf(text: string): number {
    parseProgramHandle(text);
    return 7;
  },
} as unknown as Programs;

const name = fc.oneof(
  fc.constantFrom('eth0', 'eth1', 'lo'),
  nasty.filter((text) => text !== ''),
);

const program: fc.Arbitrary<EntryProgram | undefined> = fc.option(
  fc.oneof(
    fc.constantFrom<EntryProgram>({ kind: 'own', action: 'pass' }, { kind: 'own', action: 'drop' }),
    fc.constant<EntryProgram>({ kind: 'own', action: 'pass', dstMac: '02:00:00:00:00:01' }),
    nasty.map((text): EntryProgram => ({ kind: 'existing', id: 9, handle: `/sys/fs/bpf/${text}` })),
  ),
  { nil: undefined },
);

/** Paths as they are in the kernel. */
const path: fc.Arbitrary<RedirectPath> = fc
  .record({
    ifname: name,
    mode: fc.constantFrom('native' as const, 'generic' as const),
    link: fc.boolean(),
    onMiss: fc.constantFrom(...(Object.keys(missActions) as (keyof typeof missActions)[])),
    key: fc.constantFrom('ingress' as const, 'queue' as const, { fixed: 5 }),
    entries: fc.uniqueArray(
      fc.record({ key: fc.nat(9), ifindex: fc.integer({ min: 3, max: 9 }), ifname: name, program }),
      {
        selector: ({ key }) => key,
        minLength: 1,
        maxLength: 4,
      },
    ),
    broadcast: fc.boolean(),
  })
  .map(({ ifname, mode, link, onMiss, key, entries, broadcast }) => ({
    device: { ifindex: 2, ifname },
    mode,
    link,
    program: { kind: 'builtin', key, onMiss },
    targets: {
      kind: 'devices',
      broadcast,
      excludeIngress: false,
      entries: entries.map(({ program: own, ...entry }): DeviceEntry =>
        own === undefined ? entry : { ...entry, program: own },
      ),
    },
  }));

export const documentTargets = [
  target({
    name: 'documents/map',
    arbitrary: documentsNear(mapDocuments),
    check(text) {
      const document = tame(() => parseDocument(text, 'a document'));
      if (document !== undefined) must(Array.isArray(document.entries), 'no entries');
    },
  }),
  asyncTarget({
    name: 'documents/map-entries',
    arbitrary: fc.record({
      type: fc.constantFrom(...mapTypes),
      keySize: fc.constantFrom(4, 4, 4, 1, 2, 8, 3, 16),
      valueSize: fc.constantFrom(4, 8, 8, 1, 2, 3, 64),
      entries: fc.array(
        fc.oneof(fc.record({ key: json, value: json }), fc.dictionary(nasty, json, { maxKeys: 3 }), json),
        { maxLength: 5 },
      ),
    }),
    async check({ type, keySize, valueSize, entries }) {
      const isRedirect = /devmap|cpumap/.test(type);
      const [key, value] = isRedirect ? [4, valueSize === 4 ? 4 : 8] : [keySize, valueSize];
      const map = mapOf(type, key, value);
      const document = { map: { type, bytes_key: key, bytes_value: value }, entries };
      const table = await tameAsync(() => readEntries(document, map, programs, context));
      if (table === undefined) return;
      mustEqual([table.count, table.keys.length], [entries.length, entries.length * key]);
      mustEqual(table.values.length, entries.length * map.valueLength);
    },
  }),
  target({
    name: 'documents/redirects',
    arbitrary: documentsNear(redirectDocuments),
    check(text) {
      const wishes = tame(() => parseRedirects(text, 'a document'));
      if (wishes === undefined) return;
      const again = jsonText({ xdpctl: 1, redirects: wishes.map(({ wish }) => wish) }, false);
      mustEqual(parseRedirects(again, 'a document'), wishes, 'what is written again');
    },
  }),
  target({
    name: 'documents/exported',
    arbitrary: fc.uniqueArray(path, { selector: ({ device }) => device.ifname, minLength: 1, maxLength: 3 }),
    check(paths) {
      const wishes = paths.map((each): PathWish => wishOf(each, () => {}));
      const text = jsonText({ xdpctl: 1, redirects: wishes }, false);
      mustBePrintable(text);
      // The kernel may hold what nobody can wish for in one go, such as a target twice.
      const allowed = wishes.every((wish) => tame(() => (checkWish(wish, asKey), true)) === true);
      if (allowed)
        mustEqual(
          parseRedirects(text, 'a document').map(({ wish }) => wish),
          wishes.map(withoutAbsent),
        );
    },
  }),
  target({
    name: 'documents/errors',
    arbitrary: fc.record({ entry: json, message: anyText }),
    check({ entry, message }) {
      tame(() => {
        throw placed(toToolError(new TypeError(message)).reworded(message), 3, entry);
      }, [Error]);
    },
  }),
];

/** As JSON has it: keys without a value are not there. */
function withoutAbsent(wish: PathWish): unknown {
  return JSON.parse(JSON.stringify(wish));
}
