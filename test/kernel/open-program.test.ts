import { rmSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { openProgram } from '../../src/cli/open-program.ts';
import { loadBuiltinProgram } from '../../src/kernel/builtin-objects.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { pinObject } from '../../src/kernel/pin.ts';
import { fixtureName } from '../support/run-id.ts';
import { toolJson } from '../support/tool.ts';

describe('openProgram', () => {
  it('finds a program by id and pin', () => {
    using program = loadBuiltinProgram('pass');
    const path = `/sys/fs/bpf/${fixtureName()}`;
    pinObject(program.fd, path);
    onTestFinished(() => {
      rmSync(path, { force: true });
    });
    using byId = openProgram({ by: 'id', id: program.info.id }, 'xdp');
    using byPin = openProgram({ by: 'pinned', path }, 'xdp');
    expect(byId.info).toEqual(program.info);
    expect(byPin.info).toEqual(program.info);
  });

  it('loads one that comes with the tool, and knows it by its tag unless there are several', () => {
    using first = openProgram({ by: 'builtin', name: 'egress_cpumap' }, 'xdp/cpumap');
    const { id, tag } = first.info;
    expect(toolJson('bpftool', ['-j', 'prog', 'show', 'id', String(id)])).toMatchObject({ tag, name: 'egress' });
    using _second = openProgram({ by: 'builtin', name: 'egress_cpumap' }, 'xdp/cpumap');
    expect(() => openProgram({ by: 'tag', tag }, 'xdp')).toThrow(
      /there are \d+ programs with the tag .*: ids .*\d+, \d+/,
    );
    expect(() => openProgram({ by: 'tag', tag: '0123456789abcdef' }, 'xdp')).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
  });

  it('refuses what is no program, and names that nothing has', () => {
    const path = `/sys/fs/bpf/${fixtureName()}`;
    using map = BpfMap.create({ type: 2, name: 'm', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 });
    pinObject(map.fd, path);
    onTestFinished(() => {
      rmSync(path, { force: true });
    });
    expect(() => openProgram({ by: 'pinned', path }, 'xdp')).toThrow('is a pinned map, not a program');
    expect(() => openProgram({ by: 'builtin', name: '../../etc' }, 'xdp')).toThrow(
      expect.objectContaining({ kind: 'not-found', hint: expect.stringContaining('pass') }),
    );
  });
});
