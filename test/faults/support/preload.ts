import type { TestContext } from 'vitest';

import { needProgram } from '../../support/need.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { tool } from '../../support/tool.ts';

/** Skips a test where no library can be made that is preloaded into a command. */
export function needPreload(context: TestContext): void {
  needProgram(context, 'cc');
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  if (header.glibcVersionRuntime === undefined) context.skip('the C library is not that of GNU');
}

/** Compiles a library that is preloaded (LD_PRELOAD). @returns its path, in the folder */
export function compilePreload(source: string, folder: TemporaryFolder): string {
  const library = folder.file('preload.so');
  tool('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', library, source, '-ldl']);
  return library;
}
