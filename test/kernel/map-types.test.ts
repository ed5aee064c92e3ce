import { mkdirSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, type TestContext } from 'vitest';

import { type MapTypeName, mapTypeNames, mapTypeNumber } from '../../src/domain/map-type.ts';
import { libbpf } from '../../src/ffi/libbpf.ts';
import { libc } from '../../src/ffi/libc.ts';
import { Fd } from '../../src/kernel/fd.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { bpftoolJson } from '../support/bpftool-json.ts';
import { BTF_INT_SIGNED, BtfBuilder } from '../support/btf-builder.ts';
import { createBtfMap } from '../support/btf-map.ts';
import { type CommandResult, PinFolder } from '../support/command.ts';
import { needKernel } from '../support/kernel-has.ts';
import { needProgram } from '../support/need.ts';
import { runHere } from '../support/run-here.ts';
import { fixtureName } from '../support/run-id.ts';
import { tool } from '../support/tool.ts';

const BPF_F_NO_PREALLOC = 1;
const BPF_F_MMAPABLE = 1 << 10;
/** The same number on every architecture (include/uapi/asm-generic/unistd.h). */
const SYS_PIDFD_OPEN = 434;

/** Exit codes of the verbs, in the order in which they are run: `again` removes what `delete` has removed. */
interface Codes {
  readonly update: number;
  readonly lookup: number;
  readonly dump: number;
  readonly getnext: number;
  readonly delete: number;
  readonly again: number;
}

interface Row {
  readonly type: MapTypeName;
  /** The first kernel that has it, where that is not the oldest on which the tests run. */
  readonly since?: string;
  readonly sizes: readonly [key: number, value: number, entries: number];
  readonly flags?: number;
  /** Storage that hangs on kernel objects must have types. */
  readonly typed?: boolean;
  /** Opens what the key or the value is a descriptor of. */
  readonly open?: { readonly as: 'key' | 'value'; readonly what: () => Fd };
  /** The typed word that is written; 1 when absent. */
  readonly value?: string;
  readonly codes: Codes;
  /** What `-j lookup` shows of the entry that was written. */
  readonly entry?: object;
  /** What the messages of the verbs that are refused say. */
  readonly reason?: RegExp;
}

const hash: Codes = { update: 0, lookup: 0, dump: 0, getnext: 0, delete: 0, again: 3 };
const array: Codes = { ...hash, delete: 1, again: 1 };
const keyless: Codes = { update: 5, lookup: 5, dump: 5, getnext: 5, delete: 5, again: 5 };
const one = { formatted: { key: 0, value: 1 } };
const oneForEach = { formatted: { key: 0, values: cpus().map((cpu) => ({ cpu, value: 1 })) } };

const rows: readonly Row[] = [
  { type: 'hash', sizes: [4, 8, 4], codes: hash, entry: one },
  { type: 'hash', sizes: [2, 1, 4], codes: hash, entry: one },
  { type: 'lru_hash', sizes: [8, 4, 4], codes: hash, entry: one },
  { type: 'lpm_trie', sizes: [8, 2, 4], flags: BPF_F_NO_PREALLOC, codes: hash, entry: one },
  { type: 'percpu_hash', sizes: [4, 4, 4], codes: hash, entry: oneForEach },
  { type: 'lru_percpu_hash', sizes: [4, 8, 4], codes: hash, entry: oneForEach },
  { type: 'array', sizes: [4, 8, 4], codes: array, entry: one },
  { type: 'percpu_array', sizes: [4, 2, 4], codes: array, entry: oneForEach },
  {
    type: 'prog_array',
    sizes: [4, 4, 4],
    open: { as: 'value', what: program },
    codes: hash,
    entry: { formatted: { key: 0, value: expect.any(Number) as number } },
  },
  {
    type: 'prog_array',
    sizes: [4, 4, 4],
    codes: { ...hash, update: 2, lookup: 3, delete: 3 },
    reason: /descriptor that this process has open, of a BPF program$|has no entry at key 0$/,
  },
  {
    type: 'array_of_maps',
    sizes: [4, 4, 4],
    open: { as: 'value', what: innerMap },
    codes: hash,
    entry: { inner_map_id: expect.any(Number) as number, formatted: { key: 0 } },
  },
  {
    type: 'hash_of_maps',
    sizes: [4, 4, 4],
    open: { as: 'value', what: innerMap },
    codes: hash,
    entry: { inner_map_id: expect.any(Number) as number, formatted: { key: 0 } },
  },
  { type: 'devmap', sizes: [4, 8, 4], codes: { ...hash, again: 3 }, entry: { formatted: { value: { ifname: 'lo' } } } },
  { type: 'devmap_hash', sizes: [4, 4, 4], codes: hash, entry: { formatted: { value: { ifname: 'lo' } } } },
  { type: 'cpumap', sizes: [4, 8, 1], value: '192', codes: hash, entry: { formatted: { value: { qsize: 192 } } } },
  {
    type: 'xskmap',
    sizes: [4, 4, 4],
    value: 'fd 1000000',
    codes: { ...hash, update: 2, lookup: 3, delete: 0, again: 3 },
    reason: /no open socket of this process$|has no entry at key 0$/,
  },
  {
    type: 'sockmap',
    sizes: [4, 8, 4],
    open: { as: 'value', what: () => socket() },
    codes: hash,
    entry: { formatted: { key: 0, value: expect.anything() as unknown } },
  },
  {
    type: 'sockmap',
    sizes: [4, 4, 4],
    open: { as: 'value', what: () => socket() },
    codes: { ...hash, lookup: 5, dump: 5 },
    reason: /cookie, which takes a map with values of 8 bytes, not 4$|has no entry at key 0$/,
  },
  {
    type: 'sockhash',
    sizes: [6, 8, 4],
    open: { as: 'value', what: () => socket() },
    codes: hash,
    entry: { formatted: { value: expect.anything() as unknown } },
  },
  {
    type: 'reuseport_sockarray',
    sizes: [4, 8, 4],
    open: { as: 'value', what: () => socket({ reuseport: true }) },
    codes: hash,
    entry: { formatted: { key: 0, value: expect.anything() as unknown } },
  },
  {
    type: 'perf_event_array',
    sizes: [4, 4, 4],
    codes: { update: 2, lookup: 5, dump: 5, getnext: 0, delete: 3, again: 3 },
    reason: /of a perf event$|perf events, which the kernel does not give back$|has no entry at key 0$/,
  },
  {
    type: 'cgroup_array',
    sizes: [4, 4, 4],
    codes: { update: 2, lookup: 5, dump: 5, getnext: 0, delete: 3, again: 3 },
    reason: /of a cgroup$|cgroups, which the kernel does not give back$|has no entry at key 0$/,
  },
  {
    type: 'stack_trace',
    sizes: [4, 8, 4],
    codes: { update: 5, lookup: 3, dump: 0, getnext: 3, delete: 3, again: 3 },
    reason: /^only BPF programs write into a stack_trace$|has no entry at key 0$|^the map has no entries$/,
  },
  {
    type: 'cgroup_storage',
    sizes: [8, 8, 0],
    codes: { update: 3, lookup: 3, dump: 0, getnext: 3, delete: 1, again: 1 },
    reason: /has no entry at (?:this key|key 0)$|^the map has no entries$|cannot be deleted$/,
  },
  {
    type: 'percpu_cgroup_storage',
    sizes: [8, 8, 0],
    codes: { update: 3, lookup: 3, dump: 0, getnext: 3, delete: 1, again: 1 },
    reason: /has no entry at (?:this key|key 0)$|^the map has no entries$|cannot be deleted$/,
  },
  storage('sk_storage', () => socket()),
  // Files have it where the BPF LSM is on, which it is not in Debian's 5.10.
  storage('inode_storage', () => new Fd(openSync(import.meta.filename, 'r')), '5.11'),
  storage('task_storage', () => new Fd(libc.syscall(SYS_PIDFD_OPEN, process.pid, 0, 0)), '5.11'),
  storage('cgrp_storage', () => new Fd(openSync(cgroups() ?? '/', 'r')), '6.2'),
  { type: 'queue', sizes: [0, 4, 4], codes: keyless, reason: /taken out one by one$|no keys to walk through$/ },
  { type: 'stack', sizes: [0, 4, 4], codes: keyless, reason: /taken out one by one$|no keys to walk through$/ },
  {
    type: 'bloom_filter',
    since: '5.16',
    sizes: [0, 4, 4],
    codes: keyless,
    reason: /whether a value was put in$|no keys to walk/,
  },
  { type: 'ringbuf', sizes: [0, 0, 4096], codes: keyless, reason: /through a memory mapping$|no keys to walk/ },
  {
    type: 'user_ringbuf',
    since: '6.1',
    sizes: [0, 0, 4096],
    codes: keyless,
    reason: /through a memory mapping$|no keys to walk/,
  },
  {
    type: 'arena',
    since: '6.9',
    sizes: [0, 0, 4],
    flags: BPF_F_MMAPABLE,
    codes: keyless,
    reason: /through a memory mapping$|no keys to walk/,
  },
];

/** struct_ops has a test of its own; the kernel of this machine may not have insn_array (Linux 6.19). */
const elsewhere: readonly MapTypeName[] = ['struct_ops', 'insn_array'];

function storage(type: MapTypeName, what: () => Fd, since?: string): Row {
  return {
    type,
    ...(since !== undefined && { since }),
    sizes: [4, 8, 0],
    flags: BPF_F_NO_PREALLOC,
    typed: true,
    open: { as: 'key', what },
    codes: { ...hash, dump: 5, getnext: 5 },
    entry: { formatted: { value: { a: 1, b: 0 } } },
    reason: /found only by a descriptor of one$|has no entry at key \d+$/,
  };
}

it('knows what to do with every type there is', () => {
  expect(new Set([...rows.map(({ type }) => type), ...elsewhere])).toEqual(new Set(mapTypeNames));
});

describe.for(rows)('$type with sizes $sizes', (row) => {
  it('is shown, read and written as far as the kernel lets user space', async (context) => {
    if (row.since !== undefined) needKernel(context, row.since);
    if (row.type === 'cgrp_storage' && cgroups() === undefined) context.skip('no cgroup2 is mounted');
    using map = create(row);
    using opened = row.open?.what();
    const id = String(map.info.id);
    const zeros = Array.from({ length: row.sizes[0] || 1 }, () => '0');
    const key = row.open?.as === 'key' ? [String(opened?.number)] : zeros;
    const value = row.open?.as === 'value' ? [String(opened?.number)] : (row.value ?? '1').split(' ');

    const { status, stdout } = await runHere('-j', 'map', 'show', 'id', id);
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { id: map.info.id, type: row.type }]);

    const before = await both('lookup', ['id', id, 'key', ...key]);
    expectCode(before, row.sizes[0] === 0 || row.codes.lookup === 5 ? 5 : isArray(row) ? 0 : 3);

    const { codes } = row;
    const update = await runHere('-j', 'map', 'update', 'id', id, 'key', ...key, 'value', ...value);
    expectCode({ json: update, human: update }, codes.update, row.reason);
    const lookup = await both('lookup', ['id', id, 'key', ...key]);
    expectCode(lookup, codes.lookup, row.reason);
    expect(JSON.parse(lookup.json.stdout || '{}')).toMatchObject((codes.lookup === 0 && row.entry) || {});
    const dump = await both('dump', ['id', id]);
    expectCode(dump, codes.dump, row.reason);
    expectEntries(row, dump.json.stdout, id);
    expectCode(await both('dump', ['id', id, 'all']), codes.dump, row.reason);
    expectCode(await both('getnext', ['id', id]), codes.getnext, row.reason);

    const [removed, again] = [
      await runHere('-j', 'map', 'delete', 'id', id, 'key', ...key),
      await runHere('-j', 'map', 'delete', 'id', id, 'key', ...key, '--strict'),
    ];
    expectCode({ json: removed, human: removed }, codes.delete, row.reason);
    expectCode({ json: again, human: again }, codes.again);
    if (codes.delete === 0) expectCode(await both('lookup', ['id', id, 'key', ...key]), codes.lookup === 5 ? 5 : 3);
  });
});

describe('storage of cgroups', () => {
  it('is listed, though such maps have no limit of entries', async (context) => {
    const root = cgroups();
    if (root === undefined) return context.skip('no cgroup2 is mounted');
    using pins = loaded(context, 'storage');
    const group = join(root, fixtureName());
    mkdirSync(group);
    try {
      tool('bpftool', ['cgroup', 'attach', group, 'ingress', 'pinned', pins.pin('programs/count')]);
      for (const name of ['shared', 'split']) {
        const pin = pins.pin(`maps/${name}`);
        const { json, human } = await both('dump', ['pinned', pin]);
        expect(json.json()).toHaveLength(1);
        // Linux 5.10 walks on past the last entry (cgroup_storage_get_next_key, kernel/bpf/local_storage.c).
        const judge = bpftoolJson('map', 'dump', 'pinned', pin) as { value?: object }[];
        expect(json.json()).toEqual(judge.filter(({ value = {} }) => !('error' in value)));
        expect(human.stdout).toMatch(/\n1 entry\n$/);
        expectCode(await both('getnext', ['pinned', pin]), 0);
      }
    } finally {
      rmdirSync(group);
    }
    return undefined;
  });
});

describe('struct_ops', () => {
  it('is read, and not taken out while it was never put in', async (context) => {
    using pins = loaded(context, 'algorithm');
    const map = ['pinned', pins.pin('maps/algorithm')];
    for (const verb of ['show', 'dump', 'getnext']) expectCode(await both(verb, map), 0);
    expectCode(await both('lookup', [...map, 'key', '0']), 0);
    expectCode(await both('lookup', [...map, 'key', '1']), 3);
    expectCode(await both('delete', [...map, 'key', '0']), 3);
  });
});

/** Runs a verb twice: for programs, and for people. */
async function both(verb: string, args: readonly string[]): Promise<{ json: CommandResult; human: CommandResult }> {
  return { json: await runHere('-j', 'map', verb, ...args), human: await runHere('map', verb, ...args) };
}

/** Both ended with this code, and said why: an error is one JSON object, and nothing is on stdout then. */
function expectCode(
  { json, human }: { readonly json: CommandResult; readonly human: CommandResult },
  code: number,
  reason = /./,
): void {
  expect([json.status, human.status], `${json.stdout}${json.stderr}`).toEqual([code, code]);
  if (code === 0) return;
  expect([json.stdout, human.stdout === '' || human === json]).toEqual(['', true]);
  const [failure] = json.jsonErrors() as { error: { exit: number; message: string } }[];
  expect(failure).toMatchObject({ error: { exit: code, message: expect.stringMatching(reason) as string } });
}

/** What `-j dump` shows is what was written, and what bpftool shows. */
function expectEntries(row: Row, stdout: string, id: string): void {
  if (row.codes.dump !== 0) return;
  const entries = JSON.parse(stdout) as object[];
  expect(entries).toHaveLength(isArray(row) ? row.sizes[2] : row.entry === undefined ? 0 : 1);
  expect(entries[0] ?? {}).toMatchObject(row.entry ?? {});
  const plain = withoutFormatted(entries);
  expect(plain).toEqual(isJudged(row) ? bpftoolJson('map', 'dump', 'id', id) : plain);
}

function create({ type, sizes: [keySize, valueSize, maxEntries], flags = 0, typed }: Row): BpfMap {
  const number = mapTypeNumber(type) ?? 0;
  if (typed === true) {
    const builder = new BtfBuilder();
    const int = builder.int('int', 4, BTF_INT_SIGNED);
    const pair = builder.struct('pair', 8, [
      { name: 'a', type: int, bitOffset: 0 },
      { name: 'b', type: int, bitOffset: 32 },
    ]);
    const types = { btf: builder.bytes(), keyType: int, valueType: pair };
    return createBtfMap({ ...types, type: number, keySize, valueSize, maxEntries, flags });
  }
  using inner = type.endsWith('_of_maps') ? innerMap() : undefined;
  const spec = { type: number, name: 'every_type', keySize, valueSize, maxEntries, flags };
  return BpfMap.create(inner === undefined ? spec : { ...spec, innerMapFd: inner.number });
}

function innerMap(): Fd {
  return new Fd(libbpf.bpf_map_create(1, 'inner', 4, 4, 1, null));
}

/** An XDP program that passes every frame. */
function program(): Fd {
  // r0 = 2 (XDP_PASS); exit
  const instructions = Uint8Array.of(0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
  return new Fd(libbpf.bpf_prog_load(6, 'pass', 'GPL', instructions, 2, null));
}

/** A UDP socket bound to a free port of 127.0.0.1. */
function socket({ reuseport = false } = {}): Fd {
  const fd = new Fd(libc.socket(2, 2, 0));
  if (reuseport) libc.setsockopt(fd.number, 1, 15, Uint8Array.of(1, 0, 0, 0), 4);
  libc.bind(fd.number, Uint8Array.of(2, 0, 0, 0, 127, 0, 0, 1, ...Array<number>(8).fill(0)), 16);
  return fd;
}

/** Where a cgroup2 hierarchy is mounted. */
function cgroups(): string | undefined {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
}

function cpus(): number[] {
  const [, last = '0'] = /(\d+)\s*$/.exec(readFileSync('/sys/devices/system/cpu/possible', 'utf8')) ?? [];
  return Array.from({ length: Number(last) + 1 }, (_, cpu) => cpu);
}

/** Loads a fixture and pins its programs and maps. */
function loaded(context: TestContext, fixture: string): PinFolder {
  needProgram(context, 'clang-14');
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-types-'));
  const pins = new PinFolder();
  try {
    const source = join(import.meta.dirname, '..', 'fixtures', 'bpf', `${fixture}.bpf.c`);
    const object = join(folder, `${fixture}.o`);
    tool('clang-14', ['-g', '-O2', '-Wall', '-Wextra', '-Werror', '-target', 'bpf', '-c', source, '-o', object]);
    tool('bpftool', ['prog', 'loadall', object, pins.pin('programs'), 'pinmaps', pins.pin('maps')]);
    return pins;
  } catch (error) {
    pins[Symbol.dispose]();
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function isArray({ type }: Row): boolean {
  return type === 'array' || type === 'percpu_array';
}

/** bpftool shows the empty slots of the others too, and neither sockets nor the ids of inner maps. */
function isJudged({ type }: Row): boolean {
  return /^(?:array|percpu_array|(?:lru_|percpu_|lru_percpu_)?hash|lpm_trie|devmap_hash)$/.test(type);
}

function withoutFormatted(entries: readonly object[]): object[] {
  return entries.map((entry) => Object.fromEntries(Object.entries(entry).filter(([key]) => key !== 'formatted')));
}
