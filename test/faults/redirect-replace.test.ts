import { meetFaults } from './support/meet-faults.ts';
import { redirect } from './support/redirect-change.ts';

meetFaults({
  'redirect attach --replace': redirect('attach A --to C --replace', ['attach A --to B']),
  'redirect attach --replace behind a link': redirect('attach A --to C --link --replace', ['attach A --to B --link']),
  'redirect attach --replace of a link': redirect('attach A --to C --replace', ['attach A --to B --link']),
  'redirect attach --replace by a link': redirect('attach A --to C --link --replace', ['attach A --to B']),
  'redirect attach --replace in another mode': redirect('attach A --to C --mode generic --replace', [
    'attach A --to B',
  ]),
  'redirect attach --replace both ways': redirect('attach A --to C --both --replace', [
    'attach A --to B',
    'attach C --to B',
  ]),
  'redirect detach': redirect('detach A', ['attach A --to B']),
  'redirect detach from a link': redirect('detach A', ['attach A --to B --link']),
});
