import { fullHash } from '../maps.mjs';
import { peakMemory, ratios, xdpctl } from '../measure.mjs';

/** A large map of a type that has batch calls. */
export function dumpHash({ smoke }) {
  const entries = smoke ? 10_000 : 1_000_000;
  const words = ['-j', 'map', 'dump', 'pinned', fullHash('dump_hash', entries)];
  const [time] = ratios(['bpftool', ...words], [xdpctl(...words)], smoke ? 1 : 10);
  const what = `map dump -j, hash, ${entries.toLocaleString('en')} entries`;
  return [
    { what: `${what} / bpftool`, measured: time, atMost: 0.4, unit: '×' },
    { what: `${what}: peak memory`, measured: peakMemory(...words), atMost: 150, unit: 'MiB' },
  ];
}
