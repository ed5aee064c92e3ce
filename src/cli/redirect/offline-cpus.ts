import { decodeCpumapValue } from '../../domain/cpumap.ts';
import { offlineCpu } from '../../domain/health/offline-cpu.ts';
import type { LiveEntry } from '../../domain/live-system.ts';
import type { RedirectPath } from '../../domain/redirect-path.ts';
import { occupiedEntries } from '../../kernel/path-entries.ts';
import { PathStore, pinnedMap, TARGETS_PIN } from '../../kernel/path-store.ts';
import type { Warning } from '../../output/reporter.ts';

/**
 * What is to say of CPUs of a path that are not online, as `redirect check` says it.
 *
 * @param offline their numbers
 */
export function offlineWarnings({ device }: RedirectPath, offline: readonly number[]): Warning[] {
  const pin = `${new PathStore().directory(device.ifindex)}/${TARGETS_PIN}`;
  // Before the path is made, as in a dry run, there is no entry to write anew.
  using map = pinnedMap(pin);
  const { id = 0, name = TARGETS_PIN, maxEntries = 0 } = map?.info ?? {};
  const entries = new Map<number, LiveEntry>();
  for (const { key, value } of map === undefined ? [] : occupiedEntries(map)) {
    const { qsize, prog } = decodeCpumapValue(value);
    entries.set(key, { key, qsize, ...(prog !== 0 && { progId: prog }) });
  }
  return offline.map((key) => {
    const described = { id, name, type: 'cpumap', maxEntries, pinned: [pin] };
    const { sentence, fix } = offlineCpu(described, entries.get(key) ?? { key });
    return { message: sentence, hint: fix };
  });
}
