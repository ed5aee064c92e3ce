import { writeFileSync } from 'node:fs';

import { device } from '../device.mjs';
import { emptyMap } from '../maps.mjs';
import { inFolder, inTurn, median, seconds, xdpctl } from '../measure.mjs';

/** A document of many entries, imported into an empty map. What a document of one entry takes is start-up. */
export function importEntries({ smoke }) {
  const entries = smoke ? 1000 : 100_000;
  const times = inFolder((folder) =>
    inTurn(
      [1, entries / 2, entries].map((count) => {
        const file = `${folder}/${count}.json`;
        writeFileSync(file, document(count));
        return () => seconds(xdpctl('map', 'import', 'pinned', emptyMap('import', 'devmap_hash', entries), file));
      }),
      smoke ? 1 : 10,
    ),
  );
  const each = median(times.map(([start, , whole]) => (whole - start) / entries));
  const halves = median(times.map(([start, half, whole]) => (whole - half) / (half - start)));
  const what = `map import, devmap_hash, ${entries.toLocaleString('en')} entries`;
  return [
    { what: `${what}: an entry beyond start-up`, measured: each * 1e6, atMost: 6, unit: 'µs' },
    { what: `${what}: second half / first half`, measured: halves, atMost: 1.3, unit: '×' },
  ];
}

function document(count) {
  const value = { dev: device().name };
  return JSON.stringify({
    xdpctl: 1,
    map: { type: 'devmap_hash', bytes_key: 4, bytes_value: 8 },
    entries: Array.from({ length: count }, (_, key) => ({ key, value })),
    complete: true,
  });
}
