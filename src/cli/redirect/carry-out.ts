import type { Step } from '../../domain/path-plan.ts';
import { PathChange, type PlacedPath } from '../../kernel/path-change.ts';
import type { PathStore } from '../../kernel/path-store.ts';
import { type Context, Interrupted } from '../context.ts';
import { confirmed } from './confirmation.ts';
import { warnNotUndone, warnUnfinished } from './store.ts';

/**
 * Does the steps, all or none: a failure, a signal, or a missing confirmation takes back what was done.
 *
 * @param options.confirm milliseconds that the user has to confirm what is in effect by then; undefined: it stays
 * @throws ToolError and KernelRefusal of the step that failed; ToolError usage where nobody can confirm; Interrupted
 */
export async function carryOut(
  steps: readonly Step[],
  store: PathStore,
  context: Context,
  { confirm }: { readonly confirm: number | undefined },
): Promise<readonly PlacedPath[]> {
  if (steps.length === 0) return [];
  const question = confirm === undefined ? undefined : { milliseconds: confirm, answers: context.stdin() };
  await using _guard = question === undefined ? undefined : await guarded(context);
  const change = new PathChange(store, { trial: question !== undefined });
  try {
    for (const step of steps) {
      await change.prepare(step);
      const pause = context.breathe();
      if (pause !== undefined) await pause;
    }
    for (const _ of change.switchOver()) {
      const pause = context.breathe();
      if (pause !== undefined) await pause;
    }
    if (question !== undefined) await confirmed(question, context);
    const placed = change.commit();
    if (change.unfinished !== undefined) await warnUnfinished(change.unfinished, context);
    return placed;
  } catch (error) {
    if (error instanceof Interrupted && error.message === '') {
      throw new Interrupted('interrupted: what was begun is taken back, nothing has changed');
    }
    throw error;
  } finally {
    change[Symbol.dispose]();
    await warnNotUndone(change.refusals, context);
  }
}

/** Loaded only for --confirm: starting processes takes 3 ms to load. */
async function guarded({ options }: Context): Promise<AsyncDisposable> {
  const { ConfirmGuard } = await import('./confirm-guard.ts');
  return ConfirmGuard.start(options);
}
