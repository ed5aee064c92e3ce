/**
 * Looks once more, alone, at the few test files that failed while other tests used the same kernel: its lists of sockets
 * and programs, its tracers and its two CPUs are everybody's. Who passes then was disturbed, or has met a race of ours,
 * which is why it is told and not hidden; what is plainly wrong fails again.
 */

/** Failures in more files than this have another cause than a neighbour. */
const MOST_FILES = 3;

/**
 * @typedef {import('./second-look.mjs').ProjectResult} ProjectResult
 * @param {ProjectResult[]} results
 * @param {(project: string, files: string[]) => Promise<ProjectResult[]>} runAlone
 * @returns {Promise<{ results: ProjectResult[], disturbed: ProjectResult[] }>} with the results of the second run in the
 *   place of those files' first ones, and the failures that it did not show again
 */
export async function secondLook(results, runAlone) {
  const failed = results.filter(({ state, project, file }) => state === 'failed' && project && file);
  if (new Set(failed.map(({ file }) => file)).size > MOST_FILES) return { results, disturbed: [] };
  const again = [];
  for (const project of new Set(failed.map((result) => result.project))) {
    const files = failed.filter((result) => result.project === project).map(({ file }) => file);
    again.push(...(await runAlone(project, [...new Set(files)])));
  }
  const told = new Set(again.map(({ file }) => file).filter((file) => file !== undefined));
  const stillFailed = new Set(again.filter(({ state }) => state === 'failed').map(({ name }) => name));
  return {
    results: [...results.filter(({ file }) => !told.has(file)), ...again],
    disturbed: failed.filter(({ name, file }) => told.has(file) && !stillFailed.has(name)),
  };
}
