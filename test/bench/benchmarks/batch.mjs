import { writeFileSync } from 'node:fs';

import { device } from '../device.mjs';
import { emptyMap } from '../maps.mjs';
import { inFolder, ratios, xdpctl } from '../measure.mjs';

/** A file of updates in bpftool's words. */
export function batch({ smoke }) {
  const lines = smoke ? 1000 : 100_000;
  const slots = 65_536;
  const pin = emptyMap('batch', 'devmap', slots);
  const value = [...bytes(device().ifindex), ...bytes(0)].join(' ');
  const text = Array.from(
    { length: lines },
    (_, line) => `map update pinned ${pin} key ${bytes(line % slots).join(' ')} value ${value}\n`,
  ).join('');
  const [time] = inFolder((folder) => {
    const file = `${folder}/updates.txt`;
    writeFileSync(file, text);
    const words = ['batch', 'file', file];
    return ratios(['bpftool', ...words], [xdpctl(...words)], smoke ? 1 : 10);
  });
  const what = `batch, ${lines.toLocaleString('en')} lines of map update pinned`;
  return [{ what: `${what} / bpftool`, measured: time, atMost: 0.5, unit: '×' }];
}

/** The bytes of a u32 as this machine stores it. */
function bytes(number) {
  return new Uint8Array(Uint32Array.of(number).buffer);
}
