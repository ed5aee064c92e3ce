import { writeFileSync } from 'node:fs';

import type { FaultWorld } from './support/fault-world.ts';
import { type ChangeIn, meetFaults } from './support/meet-faults.ts';

const shape = 'type devmap entries 8 name m';

/** A devmap with two entries, one of them with a program, and that program. */
async function aMap({ done, load, words }: FaultWorld): Promise<void> {
  await load('egress_devmap', 'egress');
  await done(...words(`map create @m ${shape}`));
  await done(...words('map update @m key 1 value B'));
  await done(...words('map update @m key 4 value B prog @egress'));
}

/** An export of other entries: one that stays, one that changes, and new ones. */
function aDocument({ files, pins, router: { b, c } }: FaultWorld): string {
  const document = {
    xdpctl: 1,
    map: { type: 'devmap', bytes_key: 4, bytes_value: 8 },
    entries: [
      { key: 0, value: { dev: c.name } },
      { key: 1, value: { dev: c.name } },
      { key: 2, value: { dev: b.name, prog: pins.pin('egress') } },
      { key: 3, value: { dev: c.name } },
    ],
  };
  const file = files.file('document.json');
  writeFileSync(file, JSON.stringify(document));
  return file;
}

/** A change to what is there. */
function change(text: string): ChangeIn {
  return (world) => ({
    words: world.words(`map ${text}`),
    prepare: async () => {
      await aMap(world);
      aDocument(world);
    },
  });
}

meetFaults({
  'map create': (world) => ({ words: world.words(`map create @m ${shape}`) }),
  'map create --if-absent': change(`create @n ${shape} --if-absent`),
  'map update': change('update @m key 2 value C'),
  'map update of an entry with a program': change('update @m key 2 value C prog @egress'),
  'map update noexist': change('update @m key 2 value C noexist'),
  'map delete': change('delete @m key 1'),
  'map import': change('import @m %document.json'),
  'map import replace': change('import @m %document.json replace'),
  'map pin': change('pin @m @n'),
  'map unpin': change('unpin @m'),
  'map freeze': (world) => ({
    words: world.words('map freeze @m'),
    prepare: () => world.done(...world.words('map create @m type array key 4 value 4 entries 2 name m')),
  }),
});
