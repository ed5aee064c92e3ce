import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { fixtureName } from './run-id.ts';
import { tool } from './tool.ts';

const enter = join(import.meta.dirname, '..', 'libraries', 'enter.sh');

/** Where the dynamic loader finds a shared library, or undefined. */
export function libraryPath(file: string): string | undefined {
  const { stdout } = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .find((line) => line.trim().startsWith(`${file} `))
    ?.split(' => ')[1];
}

/** A machine without libbpf.so.1, for the commands that begin with its words; removed when it is disposed of. */
export class WithoutLibbpf implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), fixtureName()));
  /** Words that run a command there. */
  readonly wrapper: readonly string[];

  /** @param older also a libbpf.so.0, as Debian 11 has it: the real one where there is one, else the other by that name */
  constructor({ older = false } = {}) {
    const path = libraryPath('libbpf.so.1');
    if (path === undefined) throw new Error('ldconfig knows no libbpf.so.1');
    const place = dirname(path);
    this.#hide(basename(path));
    if (!older) this.#hide('libbpf.so.0');
    else if (libraryPath('libbpf.so.0') === undefined) this.#pretend(place);
    this.wrapper = ['unshare', '--mount', 'sh', enter, '--over', place, this.#folder, '--'];
  }

  /** What overlayfs calls a whiteout. */
  #hide(name: string): void {
    tool('mknod', [join(this.#folder, name), 'c', '0', '0']);
  }

  /** The library has another path besides the one by which it is hidden. */
  #pretend(place: string): void {
    const real = tool('realpath', [join(place, 'libbpf.so.1')]).trim();
    symlinkSync(real, join(this.#folder, 'libbpf.so.0'));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
