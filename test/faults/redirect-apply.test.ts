import { meetFaults } from './support/meet-faults.ts';
import { apply } from './support/redirect-change.ts';

meetFaults({
  'redirect apply of new paths': apply([
    { dev: 'A', to: ['B'] },
    { dev: 'C', to: ['B'] },
  ]),
  'redirect apply with egress programs': apply([
    {
      dev: 'A',
      to: [
        { dev: 'B', dst_mac: '02:00:00:00:00:01' },
        { dev: 'C', dst_mac: '02:00:00:00:00:02' },
      ],
      broadcast: true,
    },
  ]),
  'redirect apply to an entry': apply([{ dev: 'A', to: ['C'] }], { before: ['attach A --to B'] }),
  'redirect apply to several entries': apply([{ dev: 'A', to: ['B', 'C'], broadcast: true }], {
    before: ['attach A --to B --to A --broadcast'],
  }),
  'redirect apply --prune': apply([{ dev: 'A', to: ['C'], on_miss: 'drop' }], {
    before: ['attach A --to B', 'attach C --to B'],
    options: ['--prune'],
  }),
});
