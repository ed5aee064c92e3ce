import { programTypeName } from '../../domain/program-type.ts';
import { type Holder, holdersOf } from '../../kernel/holders.ts';
import { pinsOf } from '../../kernel/pins.ts';
import { readProgramDetails } from '../../kernel/program-details.ts';
import { allPrograms } from '../../kernel/program-list.ts';
import { type BpfProgram, readProgramMapIds } from '../../kernel/program.ts';
import { type Column, one, type Outcome, rows, unlessEmpty } from '../../output/outcome.ts';
import { openAnyProgram } from '../open-program.ts';
import type { Verb } from '../verb.ts';
import { takeProgramHandle } from '../words/program-handle.ts';
import { WordList } from '../words/word-list.ts';

/** A program as `prog show` prints it in JSON, with bpftool's keys. */
interface ProgramRow {
  readonly id: number;
  readonly type: string | number;
  readonly name?: string;
  readonly tag: string;
  readonly gpl_compatible: boolean;
  readonly run_time_ns?: number | string;
  readonly run_cnt?: number | string;
  readonly recursion_misses?: number | string;
  readonly dev?: { readonly ifindex: number };
  readonly loaded_at: number;
  readonly uid: number;
  readonly bytes_xlated: number;
  readonly jited: boolean;
  readonly bytes_jited?: number;
  readonly bytes_memlock?: number;
  readonly map_ids?: readonly number[];
  readonly btf_id?: number;
  readonly pinned?: readonly string[];
  readonly pids?: readonly Holder[];
}

export const verb: Verb = {
  object: 'prog',
  name: 'show',
  aliases: ['list'],
  summary: 'list the programs of this kernel, or show one',
  synopsis: ['[PROG]'],
  description: [
    'Shows id, type, name, tag and the ids of the maps it uses. For one program, and with --bpffs for all, also the paths where it is pinned and the processes that hold it open; reading those takes a look at every descriptor of every process.',
    'The run time and the number of runs are there when the kernel counts them: `sysctl kernel.bpf_stats_enabled=1`. Of a name the kernel keeps 15 characters.',
    'A program that vanishes while the list is being read is left out.',
  ],
  arguments: [
    { name: 'PROG', description: 'id N, tag TAG, name NAME, pinned PATH, builtin NAME, a bare NAME or a /PATH' },
  ],
  json: 'an array of programs; with PROG one object. Keys are those of bpftool; absent ones are left out',
  capabilities:
    'CAP_SYS_ADMIN for the list, and to name a program by its id, name or tag; root to see who holds it, when that is another user',
  examples: [
    {
      command: 'xdpctl prog show',
      description: 'every program',
      output: `
  ID  TYPE  NAME  TAG               MAPS  LOADED
…
  63  xdp  egress  …`,
    },
    {
      command: 'xdpctl prog show pinned egress',
      description: 'one program, with its pins and who holds it open',
      output: `
id         63
type       xdp
name       egress
tag        …
license    GPL compatible
loaded     … by user 0
size       16 bytes, 23 of machine code
memory     4096 bytes
…
pinned     /sys/fs/bpf/egress`,
    },
    {
      command: 'xdpctl -j prog show pinned egress',
      description: 'the same as a JSON object',
      output: `
{"id":63,"type":"xdp","name":"egress","tag":"…","gpl_compatible":true,
 "loaded_at":1795745547,"uid":0,"bytes_xlated":16,"jited":true,
 "bytes_jited":23,"bytes_memlock":4096,…
 "pinned":["/sys/fs/bpf/egress"],"pids":[]}`,
    },
  ],
  run({ words: list }, context): Outcome {
    const words = new WordList(list);
    if (words.done) return rows(listed(context.options.bpffs), columns(context.options.bpffs), unlessEmpty('programs'));
    const handle = takeProgramHandle(words);
    words.end();
    using program = openAnyProgram(handle, context.maps.rehearsal);
    const { id } = program.info;
    const row = describe(program, pinsOf('prog').get(id) ?? [], holdersOf('prog').get(id) ?? []);
    return one(row, lines(row));
  },
};

function* listed(withPins: boolean): Generator<ProgramRow> {
  const pins = withPins ? pinsOf('prog') : undefined;
  const holders = withPins ? holdersOf('prog') : undefined;
  for (const program of allPrograms()) {
    const { id } = program.info;
    yield describe(program, pins && (pins.get(id) ?? []), holders && (holders.get(id) ?? []));
  }
}

function describe(
  program: BpfProgram,
  pinned: readonly string[] | undefined,
  pids: readonly Holder[] | undefined,
): ProgramRow {
  const { id, type, name, tag } = program.info;
  const details = readProgramDetails(program.fd);
  const mapIds = readProgramMapIds(program.fd);
  const { runTimeNs, runCount, recursionMisses, memlock, btfId, ifindex, jitedBytes } = details;
  return {
    id,
    type: programTypeName(type) ?? type,
    ...(name !== '' && { name }),
    tag,
    gpl_compatible: details.gplCompatible,
    ...(runTimeNs !== 0n && { run_time_ns: wide(runTimeNs), run_cnt: wide(runCount) }),
    ...(recursionMisses !== 0n && { recursion_misses: wide(recursionMisses) }),
    ...(ifindex !== 0 && { dev: { ifindex } }),
    loaded_at: details.loadedAt,
    uid: details.uid,
    bytes_xlated: details.xlatedBytes,
    jited: jitedBytes !== 0,
    ...(jitedBytes !== 0 && { bytes_jited: jitedBytes }),
    ...(memlock !== undefined && { bytes_memlock: memlock }),
    ...(mapIds.length > 0 && { map_ids: mapIds }),
    ...(btfId !== 0 && { btf_id: btfId }),
    ...(pinned && { pinned }),
    ...(pids && { pids }),
  };
}

/** Beyond 2^53 - 1 a decimal string. */
function wide(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

function columns(withPins: boolean): Column<ProgramRow>[] {
  return [
    { header: 'ID', cell: ({ id }) => String(id), align: 'right' },
    { header: 'TYPE', cell: typeText },
    { header: 'NAME', cell: ({ name }) => name ?? '' },
    { header: 'TAG', cell: ({ tag }) => tag },
    { header: 'MAPS', cell: ({ map_ids: ids = [] }) => ids.join(' ') },
    { header: 'LOADED', cell: ({ loaded_at: seconds }) => timeText(seconds) },
    ...(withPins
      ? [
          { header: 'PINNED', cell: ({ pinned = [] }: ProgramRow) => pinned.join(' ') },
          { header: 'PIDS', cell: ({ pids = [] }: ProgramRow) => holderText(pids) },
        ]
      : []),
  ];
}

function lines(row: ProgramRow): [string, string | undefined][] {
  const { run_time_ns: time, run_cnt: count, recursion_misses: misses, map_ids: maps, btf_id: btf } = row;
  return [
    ['id', String(row.id)],
    ['type', typeText(row)],
    ['name', row.name],
    ['tag', row.tag],
    ['license', row.gpl_compatible ? 'GPL compatible' : 'not GPL compatible'],
    ['loaded', `${timeText(row.loaded_at)} by user ${row.uid}`],
    ['size', `${row.bytes_xlated} bytes, ${row.bytes_jited ?? 'none'} of machine code`],
    ['memory', row.bytes_memlock === undefined ? undefined : `${row.bytes_memlock} bytes`],
    ['runs', count === undefined ? undefined : `${count} in ${time} ns`],
    ['left out', misses === undefined ? undefined : `${misses} runs, because it was running already`],
    ['maps', maps?.join(' ')],
    ['btf id', btf === undefined ? undefined : String(btf)],
    ['pinned', row.pinned?.length ? row.pinned.join(' ') : undefined],
    ['held by', row.pids?.length ? holderText(row.pids) : undefined],
  ];
}

/** Types newer than this program are shown by their number. */
function typeText({ type }: ProgramRow): string {
  return typeof type === 'number' ? `type ${type}` : type;
}

/** UTC, so that it can be compared between machines. */
function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}

function holderText(holders: readonly Holder[]): string {
  return holders.map(({ pid, comm }) => `${comm}(${pid})`).join(' ');
}
