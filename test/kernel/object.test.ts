import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { PROG_TYPE_XDP } from '../../src/domain/program-info.ts';
import { listenToLibbpf, type LogMessage } from '../../src/ffi/libbpf-log.ts';
import { builtinNames, openBuiltin } from '../../src/kernel/builtin-objects.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { BpfObject } from '../../src/kernel/object.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { fixtureName } from '../support/run-id.ts';
import { toolJson } from '../support/tool.ts';

afterEach(() => {
  listenToLibbpf(undefined);
});

describe('a BPF object', () => {
  it('is loaded, seen by bpftool, and gone when it is disposed of', async () => {
    const before = kernelState();
    {
      using object = openBuiltin('pass');
      expect(object.programs.map(({ name, section }) => [name, section])).toEqual([['pass', 'xdp']]);
      object.load();
      using program = object.programs[0]!.openProgram();
      expect(program.info).toMatchObject({ name: 'pass', type: PROG_TYPE_XDP });
      expect(toolJson('bpftool', ['-j', 'prog', 'show', 'id', String(program.info.id)])).toMatchObject({
        type: 'xdp',
        name: 'pass',
        tag: program.info.tag,
      });
    }
    await expectNothingNew(before);
  });

  it('outlives its object where a program was opened from it', () => {
    let program;
    {
      using object = openBuiltin('pass');
      object.load();
      program = object.program('pass')!.openProgram();
    }
    using kept = program;
    expect(toolJson('bpftool', ['-j', 'prog', 'show', 'id', String(kept.info.id)])).toMatchObject({ name: 'pass' });
  });

  it('takes another size, read-only data, and a map of the caller before it is loaded', () => {
    using object = openBuiltin('redirect_devmap');
    const [targets, rodata] = [object.map('targets')!, object.map('.rodata')!];
    const config = rodata.initialValue()!;
    config[0] = 2;
    rodata.setInitialValue(config);
    object.map('counters')!.setMaxEntries(7);
    using mine = BpfMap.create({
      type: targets.type,
      name: 'mine',
      keySize: 4,
      valueSize: 8,
      maxEntries: targets.maxEntries,
      flags: 0,
    });
    targets.reuse(mine);
    object.load();
    using used = targets.openMap();
    using counters = object.map('counters')!.openMap();
    using loaded = rodata.openMap();
    expect(used.info.id).toBe(mine.info.id);
    expect(counters.info.maxEntries).toBe(7);
    const value = new Uint8Array(loaded.valueLength);
    expect(loaded.lookup(new Uint8Array(4), value)).toBe(true);
    expect(value).toEqual(config);
  });

  it('loads only the programs that are wanted', () => {
    using object = openBuiltin('pass');
    object.program('pass')!.setAutoload(false);
    object.load();
    expect(() => object.program('pass')!.openProgram()).toThrow(KernelRefusal);
  });

  it('can load each program that comes with the tool', () => {
    for (const name of builtinNames()) {
      using object = openBuiltin(name);
      object.load();
    }
    expect(builtinNames()).toContain('pass');
  });

  it('says what libbpf said when a file is no object', () => {
    const path = join(tmpdir(), `${fixtureName()}.bpf.o`);
    onTestFinished(() => rmSync(path, { force: true }));
    expect(refusal(() => BpfObject.open(path))).toMatchObject({
      operation: 'object open',
      errno: 2,
      // libbpf 1.6 and later write the errno's name.
      facts: { path, log: expect.stringMatching(/^elf: failed to open .*: (?:No such file or directory|-ENOENT)$/) },
    });
    writeFileSync(path, 'not ELF');
    const { facts } = refusal(() => BpfObject.open(path));
    expect(facts['log']).toMatch(/ELF object/);
  });

  it('refuses a map of another type', () => {
    using object = openBuiltin('redirect_devmap');
    using array = BpfMap.create({ type: 2, name: 'array', keySize: 4, valueSize: 8, maxEntries: 256, flags: 0 });
    object.map('targets')!.reuse(array);
    const { operation, facts } = refusal(() => object.load());
    expect(operation).toBe('object load');
    expect(facts['log']).toMatch(/cannot pass map_type 2 into func bpf_redirect_map/);
  });

  it('lets nobody hear libbpf on stderr, and a listener all of it', () => {
    const heard: LogMessage[] = [];
    listenToLibbpf((message) => heard.push(message));
    using object = openBuiltin('pass');
    object.load();
    expect(heard).toContainEqual({ level: 'debug', text: `loading object from ${object.path}` });
    expect(heard.some(({ text }) => /BEGIN PROG LOAD LOG/.test(text))).toBe(true);
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
