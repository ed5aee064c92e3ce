import { decodeCpumapValue } from '../../domain/cpumap.ts';
import { offlineCpu } from '../../domain/health/offline-cpu.ts';
import type { LiveEntry } from '../../domain/live-system.ts';
import type { RedirectPath } from '../../domain/redirect-path.ts';
import { onlineCpuList } from '../../kernel/cpu.ts';
import { occupiedEntries } from '../../kernel/path-entries.ts';
import { PathStore, pinnedMap, TARGETS_PIN } from '../../kernel/path-store.ts';

/** What is to say of the CPUs of a path that are not online, as `redirect check` says it. */
export function offlineCpus({ device, targets }: RedirectPath): ReturnType<typeof offlineCpu>[] {
  const cpus = targets.kind === 'cpus' ? targets.spread : targets.kind === 'map' ? targets.cpus : [];
  if (cpus.length === 0) return [];
  const online = onlineCpuList();
  const offline = cpus.filter((cpu) => !online.includes(cpu));
  if (offline.length === 0) return [];
  const pin = `${new PathStore().directory(device.ifindex)}/${TARGETS_PIN}`;
  // Before the path is made, as in a dry run, there is no entry to write anew.
  using map = pinnedMap(pin);
  const { id = 0, name = TARGETS_PIN, maxEntries = 0 } = map?.info ?? {};
  const entries = new Map<number, LiveEntry>();
  for (const { key, value } of map === undefined ? [] : occupiedEntries(map)) {
    const { qsize, prog } = decodeCpumapValue(value);
    entries.set(key, { key, qsize, ...(prog !== 0 && { progId: prog }) });
  }
  return offline.map((key) =>
    offlineCpu({ id, name, type: 'cpumap', maxEntries, pinned: [pin] }, entries.get(key) ?? { key }),
  );
}
