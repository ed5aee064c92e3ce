import type { FaultWorld } from './support/fault-world.ts';
import { type ChangeIn, meetFaults } from './support/meet-faults.ts';

/** What is there: two programs, one of them attached in a mode. */
function change(text: string, attached?: 'xdpgeneric' | 'xdpdrv'): ChangeIn {
  return ({ done, load, words }) => ({
    words: words(text),
    prepare: async () => {
      await load('pass', 'p');
      await load('redirect_xskmap', 'q');
      if (attached !== undefined) await done(...words(`net attach ${attached} @p dev A`));
    },
  });
}

/** What is there: a redirect that a link holds. */
function linkChange(text: string): ChangeIn {
  return (world: FaultWorld) => {
    const { done, words } = world;
    return {
      words: words(text.replace('LINK', world.stored('A', 'link'))),
      prepare: () => done(...words('redirect attach A --to B --link')),
    };
  };
}

meetFaults({
  'net attach': change('net attach xdp @p dev A'),
  'net attach in generic mode': change('net attach xdpgeneric @p dev A'),
  'net attach overwrite': change('net attach xdpdrv @q dev A overwrite', 'xdpdrv'),
  'net detach': change('net detach xdpdrv dev A', 'xdpdrv'),
  'net detach in generic mode': change('net detach xdpgeneric dev A', 'xdpgeneric'),
  'link pin': linkChange('link pin LINK @new'),
  'link detach': linkChange('link detach LINK'),
});
