/**
 * A Vitest reporter for bin/dev/test.mjs: writes what is to be run and each result to a file as soon as it is there, one
 * JSON object a line, so that what has passed, and what has got lost, is known even when the run is killed.
 */
import { appendFileSync } from 'node:fs';

function write(line) {
  appendFileSync(process.env.VITEST_RESULTS_FILE, `${JSON.stringify(line)}\n`);
}

/** Errors outside of any test: in a hook, or while a file is loaded. */
function writeErrors(task, name) {
  for (const error of task.errors()) {
    write({ file: (task.module ?? task).moduleId, name, state: 'failed', reason: firstLine(error.message) });
  }
}

function firstLine(text = '') {
  return text.trim().split('\n', 1)[0];
}

export default class ResultsFile {
  onTestRunStart(specifications) {
    for (const { moduleId } of specifications) write({ file: moduleId, state: 'expected' });
  }

  onTestModuleCollected(module) {
    for (const test of module.children.allTests()) {
      write({ file: module.moduleId, name: test.fullName, state: 'expected' });
    }
  }

  onTestCaseResult(testCase) {
    const { state, note, errors = [] } = testCase.result();
    const reason = state === 'failed' ? firstLine(errors[0]?.message) : note;
    write({ file: testCase.module.moduleId, name: testCase.fullName, state, reason });
  }

  onTestSuiteResult(suite) {
    writeErrors(suite, `${suite.fullName} (set-up or clean-up)`);
  }

  onTestModuleEnd(module) {
    writeErrors(module, '(loading the file)');
  }
}
