import type { FaultWorld } from './support/fault-world.ts';
import { type ChangeIn, meetFaults } from './support/meet-faults.ts';

async function aMap({ done, load, words }: FaultWorld): Promise<void> {
  await load('egress_devmap', 'egress');
  await done(...words('map create @m type devmap entries 8 name m'));
}

/** Lines that can be run once more. */
function batch(...lines: readonly string[]): ChangeIn {
  return (world) => {
    const steps = lines.map((line) => world.words(line));
    return {
      words: ['batch', 'file', '-'],
      input: steps.map((words) => `${words.join(' ')}\n`).join(''),
      steps,
      prepare: () => aMap(world),
    };
  };
}

meetFaults({
  'batch of updates': batch(
    'map update @m key 0 value B',
    'map update @m key 1 value C prog @egress',
    'map delete @m key 0',
    'map update @m key 2 value A any',
  ),
  'batch that makes and attaches': batch(
    'map create @n type cpumap entries 1 name n --if-absent',
    'map update @n key 0 value qsize 64',
    'net attach xdpgeneric builtin pass dev A overwrite',
  ),
});
