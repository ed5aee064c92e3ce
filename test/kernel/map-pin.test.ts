import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bpftool, expectRefusal, type Row, typed, useMapTable } from '../support/map-table.ts';

const table = useMapTable();

/** The id of the map that is pinned there, as bpftool reads it. */
function idOf(pin: string): number {
  const [{ output }] = JSON.parse(bpftool(`map show pinned @/${pin}`)) as [{ output: { id: number } }];
  return output.id;
}

function pinned(): string[] {
  return readdirSync(table.pins.path);
}

describe('map pin', () => {
  it.each(['pinned @/devmap', '@/devmap', 'id ID'])('gives %s a second pin', async (handle) => {
    const id = idOf('devmap');
    const result = await typed(`map pin ${handle.replace('ID', String(id))} @/second`);
    expect(result).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(idOf('second')).toBe(id);
    expect(idOf('devmap')).toBe(id);
  });

  it('says nothing as JSON either', async () => {
    expect(await typed('-j map pin @/devmap @/second')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('under --dry-run says what it would do', async () => {
    const before = pinned();
    expect((await typed('map pin @/devmap @/second --dry-run')).stdout).toBe(
      `would pin devmap ${idOf('devmap')} at ${table.pins.pin('second')}\n`,
    );
    expect((await typed('-j map pin @/devmap @/second --dry-run')).json()).toMatchObject({ dry_run: true });
    expect(pinned()).toEqual(before);
  });

  it.each<Row>([
    { command: '@/devmap @/narrow', exit: 6, says: '/narrow exists already (EEXIST)' },
    { command: '@/devmap @/devmap', exit: 6, says: '/devmap exists already' },
    { command: '@/devmap @/narrow --dry-run', exit: 6, says: 'exists already' },
    { command: '@/none @/second', exit: 3, says: 'there is no pin' },
    { command: '@/pass @/second', exit: 2, says: 'is a pinned program, not a map' },
    { command: '@/devmap @/none/second', exit: 3, says: '/none does not exist' },
    { command: '@/devmap @/narrow/second', exit: 2, says: '/narrow is not a directory' },
    { command: '@/devmap @/second.1', exit: 2, says: "allows no '.' in a name below bpffs: 'second.1'" },
    { command: '@/devmap ~/second', exit: 2, says: 'is not in a bpffs' },
    { command: '@/devmap', exit: 2, says: 'the pin is missing' },
    { command: '@/devmap @/second trailing', exit: 2, says: "unexpected word 'trailing'" },
    { command: '@/devmap sub/second', exit: 2, says: 'is relative' },
  ])('$command is refused', async ({ command, ...row }) => expectRefusal({ command: `map pin ${command}`, ...row }));
});

describe('map unpin', () => {
  it.each(['@/narrow', 'pinned @/narrow', '@/narrow @/narrow', 'id ID @/narrow', '@/other @/narrow'])(
    '%s takes the pin away, and only that',
    async (words) => {
      const id = idOf('narrow');
      bpftool('map pin pinned @/narrow @/other');
      const before = pinned();
      const result = await typed(`map unpin ${words.replace('ID', String(id))}`);
      expect(result).toMatchObject({ status: 0, stdout: '', stderr: '' });
      expect(pinned()).toEqual(before.filter((name) => name !== 'narrow'));
      expect(idOf('other')).toBe(id);
    },
  );

  it('frees a map that nobody else holds', async () => {
    const id = idOf('narrow');
    await typed('map unpin @/narrow');
    // The kernel frees it a little later.
    await expect.poll(async () => (await typed(`map show id ${id}`)).status).toBe(3);
  });

  it('under --dry-run says what it would do', async () => {
    expect((await typed('map unpin @/narrow --dry-run')).stdout).toBe(
      `would remove ${table.pins.pin('narrow')}, a pin of devmap ${idOf('narrow')}\n`,
    );
    expect(pinned()).toContain('narrow');
  });

  it.each<Row>([
    { command: '@/none', exit: 3, says: 'there is no pin' },
    { command: '@/narrow @/none', exit: 3, says: 'there is no pin' },
    { command: 'id 4294967294 @/narrow', exit: 3, says: 'there is no map with id 4294967294' },
    { command: '@/devmap @/narrow', exit: 2, says: '/narrow is a pin of devmap ' },
    { command: '@/devmap @/narrow --dry-run', exit: 2, says: ', not of devmap ' },
    { command: '@/pass', exit: 2, says: 'is a pinned program, not a map' },
    { command: '@/devmap @/pass', exit: 2, says: 'is a pinned program, not a map' },
    { command: '@/second.1', exit: 2, says: "the kernel allows no '.' in names below bpffs" },
    { command: '@', exit: 2, says: 'is a directory, not a pin' },
    { command: '/etc/passwd', exit: 2, says: 'is not in a bpffs' },
    { command: 'id 1', exit: 2, says: 'the pin is missing' },
    { command: '@/devmap @/narrow trailing', exit: 2, says: "unexpected word 'trailing'" },
  ])('$command is refused', async ({ command, ...row }) => expectRefusal({ command: `map unpin ${command}`, ...row }));

  it('never removes an ordinary file', async () => {
    const file = join(table.folder, 'file');
    writeFileSync(file, 'kept');
    mkdirSync(join(table.folder, 'directory'), { recursive: true });
    await expectRefusal({ command: 'map unpin ~/file', exit: 2, says: 'an ordinary file is no pin' });
    await expectRefusal({ command: 'map unpin @/devmap ~/file', exit: 2, says: 'an ordinary file is no pin' });
    await expectRefusal({ command: 'map unpin ~/directory', exit: 2, says: 'is a directory, not a pin' });
    expect(existsSync(file)).toBe(true);
  });
});

describe('map freeze', () => {
  it('makes the map read-only for user space', async () => {
    expect(await typed('map freeze @/devmap')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(JSON.parse(bpftool('map show pinned @/devmap'))).toMatchObject([{ output: { frozen: 1 } }]);
    await expectRefusal({ command: 'map update @/devmap key 0 value near0', exit: 1, says: 'is frozen' });
    await expectRefusal({ command: 'map delete @/devmap key 1', exit: 1, says: 'is frozen' });
    expect(await typed('map lookup @/devmap key 1')).toMatchObject({ status: 0 });
  });

  it('under --dry-run changes nothing', async () => {
    expect((await typed('map freeze @/devmap --dry-run')).stdout).toBe(`would freeze devmap ${idOf('devmap')}\n`);
    expect(JSON.parse(bpftool('map show pinned @/devmap'))).toMatchObject([{ output: { frozen: 0 } }]);
  });

  it.each<Row>([
    { command: '@/frozen', exit: 6, says: 'is frozen already' },
    { command: '@/frozen --dry-run', exit: 6, says: 'is frozen already' },
    { command: '@/none', exit: 3, says: 'there is no pin' },
    { command: '@/pass', exit: 2, says: 'is a pinned program' },
    { command: '@/devmap now', exit: 2, says: "unexpected word 'now'" },
  ])('$command is refused', async ({ command, ...row }) => expectRefusal({ command: `map freeze ${command}`, ...row }));
});
