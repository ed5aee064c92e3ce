import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fixtureName } from './run-id.ts';
import { tool } from './tool.ts';

/** A folder of its own, removed with everything in it; with a size (`64k`), a filesystem that holds no more than that. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), `${fixtureName()}-`));
  readonly #mounted: boolean;

  constructor(size?: string) {
    this.#mounted = size !== undefined;
    if (size !== undefined) tool('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', this.path]);
  }

  /** The path of a file in it. */
  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    if (this.#mounted) tool('umount', ['-l', this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}
