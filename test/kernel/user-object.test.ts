import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { KernelRefusal, ToolError } from '../../src/domain/errors.ts';
import { listenToLibbpf, type LogMessage } from '../../src/ffi/libbpf-log.ts';
import { describeObject, LibraryCrash } from '../../src/kernel/contained/parent.ts';
import type { MapDescription, ProgramDescription } from '../../src/kernel/contained/task.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { BpfObject } from '../../src/kernel/object.ts';
import { pinName, UserObject } from '../../src/kernel/user-object.ts';
import { elfHeaders, mutants } from '../fuzz/mutants.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { fixtureName } from '../support/run-id.ts';
import { toolJson } from '../support/tool.ts';

const faulty = join(import.meta.dirname, '..', 'fixtures', 'bpf', 'faulty.bpf.o');
const ownNames = ['pass', 'redirect_devmap', 'redirect_cpumap', 'losses', 'egress_devmap', 'xskmap_reader'];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), fixtureName()));
});

afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function programFacts({ name, section, type, expectedAttachType }: ProgramDescription): object {
  return { name, section, type, expectedAttachType };
}

function mapFacts({ name, libbpfName, type, keySize, valueSize }: Omit<MapDescription, 'pinPath'>): object {
  return { name, libbpfName, type, keySize, valueSize };
}

describe('a file of programs of the user', () => {
  it.each([...ownNames.map(builtinPath), faulty])('%s is what libbpf says of it in this process', (path) => {
    using here = BpfObject.open(path);
    using there = UserObject.open(path);
    expect(there.programs.map(programFacts)).toEqual(here.programs.map(programFacts));
    expect(there.maps.map(mapFacts)).toEqual(here.maps.map(mapFacts));
  });

  it('is loaded elsewhere, and what was opened of it outlives it', async () => {
    const before = kernelState();
    {
      using object = UserObject.open(builtinPath('redirect_devmap'));
      object.load();
      using program = object.programs[0]!.openProgram();
      using targets = object.maps.find(({ name }) => name === 'targets')!.openMap();
      object[Symbol.dispose]();
      expect(toolJson('bpftool', ['-j', 'prog', 'show', 'id', String(program.info.id)])).toMatchObject({
        name: 'redirect',
        map_ids: expect.arrayContaining([targets.info.id]) as number[],
      });
    }
    await expectNothingNew(before);
  });

  it('takes a map of the caller, another type, and only the programs that are wanted', async () => {
    const before = kernelState();
    {
      using object = UserObject.open(faulty);
      for (const program of object.programs) program.setAutoload(program.name === 'back');
      using mine = BpfMap.create({ type: 14, name: 'mine', keySize: 4, valueSize: 8, maxEntries: 4, flags: 0 });
      const devmap = object.maps.find(({ type }) => type === 14)!;
      devmap.reuse(mine);
      object.load();
      using used = devmap.openMap();
      expect(used.info.id).toBe(mine.info.id);
      using _back = object.program('back')!.openProgram();
      const other = object.programs.find(({ name }) => name !== 'back')!;
      expect(() => other.openProgram()).toThrow(KernelRefusal);
    }
    await expectNothingNew(before);
  });

  it('says what libbpf said when it is no object, and what it is otherwise', () => {
    expect(refusal(() => UserObject.open(join(folder, 'none')))).toMatchObject({ operation: 'object open', errno: 2 });
    const text = fileOf('text.bpf.o', 'not ELF');
    const { facts } = refusal(() => UserObject.open(text));
    expect(facts['path']).toBe(text);
    expect(facts['log']).toMatch(/'text'.*ELF object/);
    expect(() => UserObject.open(folder)).toThrow(/is not an ordinary file/);
    expect(() => UserObject.open('/dev/zero')).toThrow(/is not an ordinary file/);
  });

  it('is refused by the verifier as it would be here', () => {
    using object = UserObject.open(builtinPath('redirect_devmap'));
    using array = BpfMap.create({ type: 2, name: 'array', keySize: 4, valueSize: 8, maxEntries: 256, flags: 0 });
    object.maps.find(({ name }) => name === 'targets')!.reuse(array);
    const { operation, facts } = refusal(() => object.load());
    expect(operation).toBe('object load');
    expect(facts['log']).toMatch(/cannot pass map_type 2 into func bpf_redirect_map/);
  });

  it('lets a listener hear all of libbpf, once', () => {
    const heard: LogMessage[] = [];
    listenToLibbpf((message) => heard.push(message));
    try {
      using object = UserObject.open(fileOf('loud.bpf.o', readFileSync(builtinPath('pass'))));
      object.load();
    } finally {
      listenToLibbpf(undefined);
    }
    expect(heard.filter(({ text }) => text === "loading object 'loud' from buffer")).toHaveLength(1);
    expect(heard.some(({ text }) => /BEGIN PROG LOAD LOG/.test(text))).toBe(true);
  });

  it('is given up when libbpf comes to no end', () => {
    const bytes = readFileSync(builtinPath('pass'));
    let error: unknown;
    try {
      describeObject('slow.bpf.o', bytes, 1);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(LibraryCrash);
    expect(error).toMatchObject({ kind: 'usage', message: 'libbpf comes to no end when it reads slow.bpf.o' });
  });

  it('has nothing that would be pinned elsewhere', () => {
    for (const name of ['../targets', '..', '.', '', 'a/b']) {
      expect(() => pinName(name, 'evil.bpf.o')).toThrow(/cannot be the name of a pin/);
    }
    expect(pinName('targets', 'good.bpf.o')).toBe('targets');
  });
});

/** What a damaged file may do: be refused, or be taken after all. */
function outcomeOf(path: string, bytes: Uint8Array): string {
  try {
    describeObject(path, bytes);
    return 'opened';
  } catch (error) {
    if (error instanceof LibraryCrash) return 'crashed';
    if (error instanceof KernelRefusal || error instanceof ToolError) return 'refused';
    throw error;
  }
}

describe('a damaged file of programs', () => {
  it.each(['pass', 'redirect_devmap'])('%s is no danger, wherever it ends', (name) => {
    const whole = readFileSync(builtinPath(name));
    const outcomes = new Set<string>();
    for (let length = 0; length < whole.length; length += 64) outcomes.add(outcomeOf(name, whole.subarray(0, length)));
    // The table of sections stands at the end.
    expect(outcomes.has('opened')).toBe(false);
  });

  it('is no danger, wherever it is changed', () => {
    const originals = [...ownNames.map(builtinPath), faulty].map((path) => readFileSync(path));
    const outcomes: string[] = [];
    fc.assert(
      fc.property(mutants(originals, elfHeaders), (bytes) => {
        outcomes.push(outcomeOf('mutant', bytes));
      }),
      { numRuns: 150 },
    );
    expect(outcomes.filter((outcome) => outcome !== 'crashed').length).toBeGreaterThan(0);
  });
});

function refusal(act: () => unknown): KernelRefusal {
  try {
    act();
  } catch (error) {
    if (error instanceof KernelRefusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
