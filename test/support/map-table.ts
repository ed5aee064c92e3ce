import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';

import { type CommandResult, PinFolder } from './command.ts';
import { runHere } from './run-here.ts';
import { fixtureName } from './run-id.ts';
import { inNamespace } from './tool.ts';
import { createWorld, type World } from './world.ts';

/**
 * What bpftool does with good and bad input on redirect maps, measured, and what we do instead: each row is a case of that
 * table. A command that fails must not have changed anything, whatever it says.
 */

const objects = join(import.meta.dirname, '..', '..', 'bpf-objects');

/** The world that the rows of the table are about. Its maps are new for each test, its interfaces for each file. */
export interface MapTable {
  readonly world: World;
  /** The namespace of near0, in which every command runs. */
  readonly namespace: string;
  /** The namespace of far0. */
  readonly other: string;
  /** The ifindexes of near0 and far0. */
  readonly near: number;
  readonly far: number;
  /** A folder outside bpffs. */
  readonly folder: string;
  pins: PinFolder;
}

/** Makes the world before, and takes it away after, the tests of a file. */
export function useMapTable(): MapTable {
  const table = {} as { -readonly [Key in keyof MapTable]: MapTable[Key] };
  current = table;

  beforeAll(() => {
    table.world = createWorld();
    table.namespace = table.world.namespace();
    table.other = table.world.namespace();
    const pair = table.world.veth(
      { namespace: table.namespace, name: 'near0' },
      { namespace: table.other, name: 'far0' },
    );
    table.near = pair.a.ifindex;
    table.far = pair.b.ifindex;
    table.folder = mkdtempSync(join(tmpdir(), fixtureName()));
  });

  beforeEach(() => {
    table.pins = new PinFolder();
    bpftool(
      'map create @/devmap type devmap key 4 value 8 entries 8 name devmap',
      'map create @/narrow type devmap key 4 value 4 entries 8 name narrow',
      'map create @/hash type devmap_hash key 4 value 8 entries 2 name hash',
      'map create @/cpumap type cpumap key 4 value 8 entries 64 name cpumap',
      'map create @/xskmap type xskmap key 4 value 4 entries 8 name xskmap',
      'map create @/array type array key 4 value 4 entries 4 name array',
      'map create @/frozen type devmap key 4 value 8 entries 8 name frozen',
      'map update pinned @/devmap key 1 0 0 0 value BYTES 0 0 0 0',
      'map update pinned @/hash key 77 0 0 0 value BYTES 0 0 0 0',
      'map update pinned @/cpumap key 0 0 0 0 value 192 0 0 0 0 0 0 0',
      'map freeze pinned @/frozen',
      `prog load ${objects}/pass.bpf.o @/pass`,
      `prog load ${objects}/egress_devmap.bpf.o @/egress`,
      `prog load ${objects}/egress_cpumap.bpf.o @/percpu`,
    );
  });

  afterEach(() => table.pins[Symbol.dispose]());

  afterAll(() => {
    table.world[Symbol.dispose]();
    rmSync(table.folder, { recursive: true });
  });

  return table;
}

/** The table of the file that runs. */
let current: MapTable;

/**
 * What bpftool says after the last command of a batch when that command left an errno behind: do_batch() of Debian's
 * 7.1.0+6.1.176 takes it for one of fgets(). `map show` and `map dump` close their descriptor twice, and libbpf tries what
 * an old kernel does not have.
 */
const LEFTOVER_ERRNO = /,\{"error":"reading batch file failed: [^"]+"\}\]$/;

/** Runs commands of bpftool in the namespace, abbreviated as those of `typed`, and returns its JSON. */
export function bpftool(...lines: readonly string[]): string {
  const [program = '', ...args] = inNamespace(current.namespace, ['bpftool', '-j', 'batch', 'file', '-']);
  const input = `${written(lines.join('\n'))}\n`;
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (error !== undefined) throw error;
  const text = stdout.trimEnd();
  if (LEFTOVER_ERRNO.test(text)) return text.replace(LEFTOVER_ERRNO, ']');
  if (status !== 0) throw new Error(`bpftool batch: exit ${status}: ${stderr}${stdout}`);
  return stdout;
}

/** Every entry of every map, and every pin. */
export function everything(): string {
  const maps = ['devmap', 'narrow', 'hash', 'cpumap', 'array', 'frozen'];
  return bpftool(...maps.map((name) => `map dump pinned @/${name}`)) + readdirSync(current.pins.path).join(' ');
}

/** An entry as bpftool reads it: `03 00 00 00`, or undefined. */
export function entry(pin: string, key: number): string | undefined {
  const words = ['map', 'lookup', 'pinned', current.pins.pin(pin), 'key', ...bytes(key).split(' ')];
  const { status, stdout } = spawnSync('bpftool', words, { encoding: 'utf8' });
  return status === 0 ? /value: (.*?) *$/m.exec(stdout)?.[1] : undefined;
}

function bytes(integer: number): string {
  return Array.from(new Uint8Array(Uint32Array.of(integer).buffer)).join(' ');
}

export function hex(...integers: readonly number[]): string {
  return (Buffer.from(Uint32Array.from(integers).buffer).toString('hex').match(/../g) ?? []).join(' ');
}

/** Runs a command in the namespace. */
export async function typed(command: string): Promise<CommandResult> {
  return runHere('--netns', current.namespace, '-q', ...written(command).split(' '));
}

/** `@` stands for the folder of pins, `~` for one outside bpffs; NEAR and FAR for ifindexes, BYTES for the bytes of NEAR. */
function written(command: string): string {
  return command
    .replaceAll('@', current.pins.path)
    .replaceAll('~', current.folder)
    .replaceAll('NEAR', String(current.near))
    .replaceAll('FAR', String(current.far))
    .replaceAll('BYTES', bytes(current.near));
}

export interface Row {
  readonly command: string;
  readonly exit: number;
  /** Part of the message. */
  readonly says: string;
}

/** A row that is refused: it says why, and changes nothing. */
export async function expectRefusal({ command, exit, says }: Row): Promise<void> {
  const before = everything();
  const plain = await typed(command);
  expect({ status: plain.status, stdout: plain.stdout, stderr: plain.stderr }).toEqual({
    status: exit,
    stdout: '',
    stderr: expect.stringContaining(says) as string,
  });
  expect(plain.stderr).toMatch(/^error: [^\n]*\n(hint: [^\n]*\n)?$/);
  const json = await typed(`-j ${command}`);
  expect({ status: json.status, stdout: json.stdout }).toEqual({ status: exit, stdout: '' });
  expect(json.jsonErrors()).toMatchObject([{ error: { exit, message: expect.any(String) as string } }]);
  expect(everything()).toBe(before);
}
