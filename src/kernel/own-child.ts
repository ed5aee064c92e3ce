import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ToolError } from '../domain/errors.ts';

/*
 * Programs of ours that run in a process of their own. They lie beside the bundle, or in dist/, beside src/, which this file
 * is in.
 */

/** @param name of the file, e.g. `object-child.cjs` @throws ToolError unsupported when it is not there */
export function childScript(name: string): string {
  const places = [name, `../../dist/${name}`].map((path) => join(import.meta.dirname, path));
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ToolError('unsupported', `a part of xdpctl, ${name}, is not where it was installed`, {
    hint: `install xdpctl again; it belongs in ${import.meta.dirname}`,
  });
}

/** Without what only makes Node slower to start, or changes it. */
export function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_')));
}
