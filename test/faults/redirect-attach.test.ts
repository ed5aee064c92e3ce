import { meetFaults } from './support/meet-faults.ts';
import { confirmed, redirect } from './support/redirect-change.ts';

meetFaults({
  'redirect attach': redirect('attach A --to B'),
  'redirect attach in generic mode': redirect('attach A --to B --mode generic'),
  'redirect attach by a link': redirect('attach A --to B --link'),
  'redirect attach with an address': redirect('attach A --to B --dst-mac 02:00:00:00:00:01'),
  'redirect attach with an egress program': redirect('attach A --to B --egress @egress'),
  'redirect attach to all of several': redirect('attach A --to B --to C --broadcast --exclude-ingress'),
  'redirect attach with a confirmation': confirmed(redirect('attach A --to B')),
  'redirect attach both ways': redirect('attach A --to B --both'),
  'redirect attach to CPUs': redirect('attach A --cpus 0 --qsize 64 --prog builtin:pass'),
  'redirect attach to sockets': redirect('attach A --xsk'),
  'redirect attach through a map': redirect('attach A --map @m'),
  'redirect attach of a program of the user': redirect(
    'attach A --object %user.bpf.o --program redirect --to B --key 0',
  ),
  'redirect attach of a program with its maps': redirect('attach A --object %user.bpf.o --program redirect'),
});
