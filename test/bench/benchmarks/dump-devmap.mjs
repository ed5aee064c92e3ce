import { sparseDevmap } from '../maps.mjs';
import { ratios, xdpctl } from '../measure.mjs';

/** A large, mostly empty map of a type that has no batch calls: each slot is a system call. */
export function dumpDevmap({ smoke }) {
  const [slots, occupied] = smoke ? [4096, 100] : [65_536, 1000];
  const words = ['map', 'dump', 'pinned', sparseDevmap('dump_devmap', slots, occupied)];
  const [time] = ratios(['bpftool', ...words], [xdpctl(...words)], smoke ? 1 : 20);
  const what = `map dump, devmap, ${occupied.toLocaleString('en')} of ${slots.toLocaleString('en')} slots`;
  return [{ what: `${what} / bpftool`, measured: time, atMost: 1, unit: '×' }];
}
