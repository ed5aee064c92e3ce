import { startTracing, type Via } from '../../../src/tracing/select.ts';
import { ensureTracefs, readEvents } from '../../../src/tracing/tracefs.ts';

/** Traces with the backend named by the first argument until it is killed; says `ready` when it has attached. */
await using _session = await startTracing(process.argv[2] as Via, {
  filter: {},
  events: () => readEvents(ensureTracefs(), 'xdp'),
});
process.stdout.write('ready\n');
await new Promise((resolve) => setTimeout(resolve, 60_000));
