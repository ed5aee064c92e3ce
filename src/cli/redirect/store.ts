import { ToolError } from '../../domain/errors.ts';
import { BPFFS_STANDARD } from '../../kernel/bpffs-path.ts';
import { ensureBpffs } from '../../kernel/bpffs.ts';
import { lockDirectory } from '../../kernel/file-lock.ts';
import { interfaceIndex } from '../../kernel/interface-names.ts';
import { currentNetnsInode } from '../../kernel/namespaces.ts';
import { makeStoreRoot, PathStore, storeRoot } from '../../kernel/path-store.ts';
import { queryXdp } from '../../kernel/xdp-attachment.ts';
import { type Context, Interrupted } from '../context.ts';

/** The stores of devices, locked against other commands that change them. */
export interface LockedStores extends Disposable {
  /** The store of a device of this network namespace, brought into agreement with what is attached to it. */
  of(ifindex: number): PathStore;
}

/**
 * Locks the directories of all devices and makes bpffs ready for them. A dry run changes nothing, not even that: it
 * looks at the stores as they are.
 *
 * @throws Interrupted while waiting for another command
 */
export async function lockStores(context: Context): Promise<LockedStores> {
  const { nomount, dryRun } = context.options;
  ensureBpffs(BPFFS_STANDARD, { nomount, dryRun });
  if (dryRun) {
    const [seen, here] = [storeRoot(), currentNetnsInode()];
    return { of: (ifindex) => new PathStore(seen, { netns: here, ifindex }), [Symbol.dispose]: () => undefined };
  }
  const root = makeStoreRoot();
  let lock: Disposable;
  try {
    lock = await lockDirectory(root, context.signal);
  } catch (error) {
    if (context.signal.aborted) throw new Interrupted('interrupted before anything was changed');
    throw error;
  }
  const netns = currentNetnsInode();
  return {
    of(ifindex) {
      const store = new PathStore(root, { netns, ifindex });
      store.settle(Object.values(queryXdp(ifindex)));
      return store;
    },
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}

/** The ifindex of a device that the user named. @throws ToolError not-found */
export function deviceIndex(name: string): number {
  const ifindex = interfaceIndex(name);
  if (ifindex !== undefined) return ifindex;
  throw new ToolError('not-found', `there is no interface '${name}' in this network namespace`, {
    hint: 'see: ip link; --netns NAME looks in another namespace',
  });
}
