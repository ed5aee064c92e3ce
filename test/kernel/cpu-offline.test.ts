import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { PinFolder } from '../support/command.ts';
import { createPathWorld, type PathWorld } from '../support/path-world.ts';
import { runHere } from '../support/run-here.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { typed } from '../support/typed.ts';

// CPU 1 has just gone. (It has not, because the machine is not the test's alone.)
const away = vi.hoisted(() => ({ cpu: 1 as number | undefined }));
vi.mock('../../src/kernel/cpu.ts', async (original) => {
  const real = await original<typeof import('../../src/kernel/cpu.ts')>();
  return { ...real, onlineCpuList: () => real.onlineCpuList().filter((cpu) => cpu !== away.cpu) };
});

let path: PathWorld;
let pins: PinFolder;

beforeAll(() => {
  path = createPathWorld();
  pins = new PinFolder();
  // Else checksums are a problem of their own.
  for (const { namespace, name } of [path.source, path.sink]) {
    const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-K', name, 'tx', 'off']);
    tool(program, args);
  }
});

afterAll(() => {
  pins[Symbol.dispose]();
  path[Symbol.dispose]();
});

function redirect(...words: readonly string[]) {
  return runHere('-j', '--netns', path.router, 'redirect', ...words);
}

describe('a CPU that is not online', () => {
  it.each([
    ['CPUs', () => ['--cpus', '0,1', '--qsize', '256', '--prog', 'builtin:pass']],
    ['a cpumap of others', () => ['--map', pins.pin('cpumap')]],
  ])('is told by attach in the words of check: to %s', async (_title, words) => {
    const { name } = path.ingress;
    const make = ['map', 'create', pins.pin('cpumap'), 'type', 'cpumap', 'entries', '2'];
    expect(await runHere(...make, '--if-absent')).toMatchObject({ status: 0 });
    const fill = ['map', 'update', pins.pin('cpumap'), 'key', '1', 'value', 'qsize', '256'];
    expect(await runHere(...fill)).toMatchObject({ status: 0 });
    away.cpu = 1;
    const attached = await redirect('attach', name, ...words(), '--replace');
    const checked = (await redirect('check', name)).json() as { explanation: string; fix: string }[];
    expect(checked).toMatchObject([{ code: 'cpu-offline', certainty: 'certain', key: 1 }]);
    const [{ explanation, fix }] = checked as [{ explanation: string; fix: string }];
    expect(attached.jsonErrors()).toEqual([{ warning: { message: explanation, hint: fix } }]);
    expect(explanation).toMatch(/CPU 1, to which the cpumap \w+ leads, is not online: other CPUs serve its frames/);
    const [{ maps }] = (await redirect('show', name)).json() as [{ maps: [{ id: number }] }];
    const entry = () =>
      toolJson('bpftool', ['-j', 'map', 'lookup', 'id', String(maps[0].id), 'key', '1', '0', '0', '0']);
    const before = entry();
    typed(fix);
    away.cpu = undefined;
    expect(entry()).toEqual(before);
    expect((await redirect('check', name)).json()).toEqual([]);
  });

  it('is told in a dry run too, where there is no entry yet', async () => {
    away.cpu = 1;
    const { name } = path.egress;
    const result = await redirect('attach', name, '--cpus', '1', '--dry-run');
    expect(result.jsonErrors()).toMatchObject([{ warning: { hint: 'chcpu -e 1' } }]);
  });
});
