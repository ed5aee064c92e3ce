import { BPFFS_STANDARD } from '../../kernel/bpffs-path.ts';
import { checkPinsInSight, ensureBpffs } from '../../kernel/bpffs.ts';
import { lockDirectory } from '../../kernel/file-lock.ts';
import { interfaceIndex, interfaceName } from '../../kernel/interface-names.ts';
import { sweepGoneDevices } from '../../kernel/path-journal.ts';
import { PathStore, storeRoot } from '../../kernel/path-store.ts';
import { settle } from '../../kernel/path-undo.ts';
import { type Context, Interrupted } from '../context.ts';
import { noInterface } from '../no-interface.ts';

/** What is needed of a command to make an end of what others have left. */
type Keeper = Pick<Context, 'signal' | 'note' | 'warn'> & {
  readonly options: Pick<Context['options'], 'nomount' | 'dryRun'>;
};

/** What redirect attach keeps, held against other commands that change it. */
export interface HeldStore extends Disposable {
  readonly store: PathStore;
  /** Whether this is a dry run: nothing is locked, and nothing may be changed. */
  readonly dryRun: boolean;
}

/**
 * Makes bpffs ready, locks the directories of all devices, and makes an end of what a killed command has left. A dry run
 * does none of that: it looks at the directories as they are.
 *
 * @throws Interrupted while waiting for another command
 */
export async function holdStore(context: Keeper): Promise<HeldStore> {
  const { nomount, dryRun } = context.options;
  ensureBpffs(BPFFS_STANDARD, { nomount, dryRun });
  const root = storeRoot();
  if (dryRun) return { store: new PathStore(root), dryRun, [Symbol.dispose]: () => undefined };
  const lock = await locked(root, context);
  try {
    const store = new PathStore(root);
    // First, because an ifindex and the inode of a namespace come again.
    sweepGoneDevices(store.root);
    await settled(store, context);
    return { store, dryRun, [Symbol.dispose]: () => lock[Symbol.dispose]() };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/**
 * What redirect attach keeps, for reading: nothing is locked or made ready.
 *
 * @throws ToolError refused where bpffs is hidden, and all that is ours would be taken for somebody else's
 */
export function readableStore(): PathStore {
  checkPinsInSight();
  return new PathStore();
}

async function locked(root: string, context: Keeper): Promise<Disposable> {
  try {
    return await lockDirectory(root, context.signal, () => {
      void context.note('waiting for another xdpctl command that is changing redirects');
    });
  } catch (error) {
    if (context.signal.aborted) throw new Interrupted('interrupted before anything was changed');
    throw error;
  }
}

async function settled(store: PathStore, context: Keeper): Promise<void> {
  const settlement = settle(store);
  if (settlement === undefined) return;
  const { ifindexes, outcome, refusals } = settlement;
  if (ifindexes.length === 0) return;
  const names = ifindexes.map((ifindex) => interfaceName(ifindex) ?? `interface ${ifindex}`).join(', ');
  await context.note(`a command that was killed had begun to change ${names}: ${outcome}`);
  await warnNotUndone(refusals, context);
}

/** Tells what could not be taken back; the system is then in neither the old nor the new state. */
export async function warnNotUndone(refusals: readonly unknown[], context: Pick<Context, 'warn'>): Promise<void> {
  if (refusals.length === 0) return;
  const { toToolError } = await import('../to-tool-error.ts');
  for (const refusal of refusals) {
    const { message } = toToolError(refusal);
    await context.warn({
      message: `not everything could be taken back: ${message}`,
      hint: ({ own }) => `see: ${own(['redirect', 'show'])}`,
    });
  }
}

/** Tells what kept the pins of a change that is in effect from their places. */
export async function warnUnfinished(reason: unknown, context: Context): Promise<void> {
  const { toToolError } = await import('../to-tool-error.ts');
  const { message } = toToolError(reason);
  await context.warn({
    message: `the change is in effect, but its pins are not in their places yet: ${message}`,
    hint: 'the next command that changes redirects puts them there',
  });
}

/** The ifindex of a device that the user named. @throws ToolError not-found */
export function deviceIndex(name: string): number {
  const ifindex = interfaceIndex(name);
  if (ifindex !== undefined) return ifindex;
  throw noInterface(`'${name}'`);
}
