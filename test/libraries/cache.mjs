/** What was fetched is kept in the user's cache: a hundred megabytes of Node.js need not come again for every run. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xdpctl-libraries');

/**
 * A folder that is filled once. A run that dies while it does so leaves nothing that the next one would take for whole.
 *
 * @param {string} name
 * @param {(folder: string) => void} fill
 * @returns {string} the folder
 */
export function kept(name, fill) {
  const folder = join(cache, name.replaceAll('/', '-'));
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}.draft`;
  mkdirSync(draft, { recursive: true });
  try {
    fill(draft);
    // Another run may have been faster.
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
