import { device } from '../device.mjs';
import { sparseDevmap } from '../maps.mjs';
import { ratios, xdpctl } from '../measure.mjs';

/** What one command costs: Node itself is the floor. */
export function startUp({ smoke }) {
  const pin = sparseDevmap('start_up', 64, 1);
  const { name } = device();
  const commands = [
    xdpctl('--version'),
    xdpctl('map', 'lookup', 'pinned', pin, 'key', '0'),
    xdpctl('redirect', 'attach', name, '--to', name, '--replace'),
  ];
  const [version, lookup, attach] = ratios([process.execPath, '-e', '0'], commands, smoke ? 1 : 40);
  return [
    { what: '--version / node -e 0', measured: version, atMost: 1.6, unit: '×' },
    { what: 'map lookup / node -e 0', measured: lookup, atMost: 1.9, unit: '×' },
    { what: 'redirect attach / node -e 0', measured: attach, atMost: 2.5, unit: '×' },
  ];
}
