import { objectFile } from './support/fault-world.ts';
import { type ChangeIn, meetFaults } from './support/meet-faults.ts';

/** Of the program that is pinned as @p, which is there with its map @m. */
function change(text: string): ChangeIn {
  return ({ done, load, words }) => ({
    words: words(text),
    prepare: async () => {
      await load('pass', 'p');
      await done(...words('map create @m type devmap entries 4 name m'));
    },
  });
}

meetFaults({
  'prog load': change(`prog load ${objectFile('pass')} @new`),
  'prog load with maps': change(`prog load ${objectFile('redirect_devmap')} @new map name targets @m pinmaps @maps`),
  'prog loadall': change(`prog loadall ${objectFile('egress_cpumap')} @all pinmaps @maps`),
  'prog pin': change('prog pin @p @new'),
  'prog unpin': change('prog unpin @p'),
});
