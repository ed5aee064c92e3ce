import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { checkOwner } from '../../src/kernel/path-store.ts';

let folder: string;
let root: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xdpctl-store-'));
  root = join(folder, 'xdpctl');
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('the directory of all pins', () => {
  it('is taken when root made it and nobody else may write to it, and need not be there', () => {
    expect(() => checkOwner(root)).not.toThrow();
    mkdirSync(root, { mode: 0o700 });
    expect(() => checkOwner(root)).not.toThrow();
  });

  it('is refused when somebody else made it', () => {
    mkdirSync(root, { mode: 0o700 });
    chownSync(root, 65534, 65534);
    expect(() => checkOwner(root)).toThrow(/not a directory of root/);
  });

  it('is refused when everybody may write to it', () => {
    mkdirSync(root);
    chmodSync(root, 0o777);
    expect(() => checkOwner(root)).toThrow(/not a directory of root/);
  });

  it('is refused when it is a way to another directory', () => {
    symlinkSync(folder, root);
    expect(() => checkOwner(root)).toThrow(/not a directory of root/);
  });

  it('is refused when others may exchange it for another', () => {
    mkdirSync(root, { mode: 0o700 });
    chmodSync(folder, 0o777);
    expect(() => checkOwner(root)).toThrow(/others may exchange .* is not root's alone/);
    // In a sticky directory they may not.
    chmodSync(folder, 0o1777);
    expect(() => checkOwner(root)).not.toThrow();
    chownSync(folder, 65534, 65534);
    expect(() => checkOwner(root)).toThrow(/others may exchange/);
  });
});
