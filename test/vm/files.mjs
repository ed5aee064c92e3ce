/** Which files a program needs: itself, its libraries, and every link and folder on the way to them. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A set of paths of this machine that can be put into an archive and work elsewhere at the same paths. */
export class FileSet {
  /** Every path with its folders before it. @type {Set<string>} */
  paths = new Set();

  /** A file or link, and what it points to. */
  add(path) {
    const parts = resolve(path).split('/').slice(1);
    let reached = '';
    for (const [index, part] of parts.entries()) {
      reached = `${reached}/${part}`;
      const known = this.paths.has(reached);
      this.paths.add(reached);
      if (!lstatSync(reached).isSymbolicLink()) continue;
      if (known && index === parts.length - 1) return;
      this.add(join(resolve(dirname(reached), readlinkSync(reached)), ...parts.slice(index + 1)));
      return;
    }
  }

  /** A folder with all that is in it but what `without` says of its paths. */
  addFolder(folder, without = () => false) {
    this.add(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (without(path)) continue;
      if (entry.isDirectory()) this.addFolder(path, without);
      else if (entry.isFile() || entry.isSymbolicLink()) this.addIfThere(path);
    }
  }

  /** Others may be writing in the folder. */
  addIfThere(path) {
    try {
      this.add(path);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }

  /** A program or library with the libraries it is linked with. */
  addBinary(path) {
    this.add(path);
    // A static program, and a script, have none.
    const { stdout } = spawnSync('ldd', [realpathSync(path)], { encoding: 'utf8' });
    for (const [library] of stdout.matchAll(/(?<=\s)\/\S+(?= \()/g)) this.add(library);
  }

  /** A program by the name by which a shell finds it. @returns whether this machine has it */
  addProgram(name) {
    const path = findProgram(name);
    if (path === undefined) return false;
    this.addBinary(path);
    return true;
  }
}

/** @returns {string | undefined} */
export function findProgram(name) {
  const folders = (process.env.PATH ?? '').split(':');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
