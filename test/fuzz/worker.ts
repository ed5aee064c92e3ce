import { parentPort, workerData } from 'node:worker_threads';

import * as fc from 'fast-check';

import { propertyOf } from './target.ts';
import { targets } from './targets.ts';

/** What run.mjs asks of a worker. */
export interface FuzzTask {
  readonly name: string;
  readonly seed: number;
  readonly runs: number;
  /** The way of fast-check to a case that was found before. */
  readonly path?: string;
  /** Fails at this case without running it, so that it is printed: it hangs, or takes all memory. */
  readonly only?: number;
  /** Of this process: how many cases have begun. */
  readonly progress: Int32Array;
}

/** What a worker tells at its end. */
export interface FuzzResult {
  readonly runs: number;
  /** The smallest case that fails, as text to paste, and why. */
  readonly failure?: { readonly input: string; readonly message: string; readonly path: string | null };
}

const { name, seed, runs, path, only, progress } = workerData as FuzzTask;

async function work(): Promise<FuzzResult> {
  const found = targets.find((target) => target.name === name);
  if (found === undefined) throw new Error(`no target ${name}`);
  const tested = only === undefined ? found : { ...found, check: () => refuse(), async: false };
  const property = propertyOf(tested, () => void Atomics.add(progress, 0, 1));
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    ...(path !== undefined && { path }),
    ...(only !== undefined && { endOnFailure: true }),
  });
  const failure = failureOf(details);
  if (failure !== undefined) return { runs: details.numRuns, failure };
  try {
    found.judge?.();
  } catch (error) {
    return { runs: details.numRuns, failure: { input: 'several at once', message: String(error), path: null } };
  }
  return { runs: details.numRuns };
}

function refuse(): void {
  if (Atomics.load(progress, 0) > (only ?? 0)) throw new Error('it came to no end, or took all memory');
}

function failureOf({
  failed,
  counterexample,
  counterexamplePath,
  errorInstance,
}: fc.RunDetails<[unknown]>): FuzzResult['failure'] {
  if (!failed) return undefined;
  const message =
    errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : String(errorInstance);
  return { input: fc.stringify(counterexample?.[0]), message, path: counterexamplePath };
}

void work().then(
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
  (result) => parentPort?.postMessage(result),
  (error: unknown) => {
    throw error;
  },
);
