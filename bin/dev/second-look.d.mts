import type { Result } from './vitest-step.mjs';

export interface ProjectResult extends Result {
  /** That of a test; absent for other checks. */
  readonly project?: string;
}
export function secondLook(
  results: readonly ProjectResult[],
  runAlone: (project: string, files: string[]) => Promise<ProjectResult[]>,
): Promise<{ readonly results: ProjectResult[]; readonly disturbed: ProjectResult[] }>;
