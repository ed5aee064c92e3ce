import { type ChangeIn, meetFaults } from './support/meet-faults.ts';

/** A socket that is bound for a moment: all that it makes goes with it. */
function bind(text: string): ChangeIn {
  return ({ done, words }) => ({
    words: words(`xsk bind A --queue 0 --frames 64 --rx-size 64 --duration 50ms ${text}`),
    passing: true,
    prepare: () => done(...words('map create @sockets type xskmap entries 4 name sockets')),
  });
}

meetFaults({
  'xsk bind --map': bind('--map @sockets'),
  'xsk bind --attach': bind('--attach'),
  'xsk bind --attach in generic mode': bind('--attach --mode generic --action echo'),
  'xsk bind --write': (world) => {
    const { words, prepare } = bind('--attach --write %capture.pcapng')(world);
    return { words, ...(prepare && { prepare }) };
  },
});
