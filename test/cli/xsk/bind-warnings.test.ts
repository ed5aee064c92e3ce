import { describe, expect, it } from 'vitest';

import type { BindRequest } from '../../../src/cli/xsk/bind-request.ts';
import { type BindScene, bindWarnings } from '../../../src/cli/xsk/bind-warnings.ts';
import { hintText } from '../../../src/domain/errors.ts';
import { typedAt } from '../../../src/domain/typed-command.ts';

const spec = { frames: 4096, frameSize: 2048, rxSize: 2048, fillSize: 4096, completionSize: 1 };
const request: BindRequest = {
  ifname: 'eth0',
  queue: 3,
  path: { attach: 'native' },
  mode: 'auto',
  spec,
  count: undefined,
  duration: undefined,
  interval: undefined,
  echo: false,
  busy: false,
  yes: false,
  write: undefined,
};
const withMap: Partial<BindRequest> = { path: { map: { by: 'id', id: 5 } } };

/** A virtual interface of whose driver and surroundings there is nothing to be said. */
const scene: BindScene = {
  device: {
    ifname: 'eth0',
    ifindex: 2,
    netns: { inode: 1, current: true },
    up: true,
    mtu: 1500,
    kind: 'veth',
    ndoXmit: 'yes',
    ndoXmitSg: 'yes',
    progIds: [],
  },
  zeroCopy: false,
  fragments: true,
  hardware: false,
  dangers: { grave: [], remarks: [] },
  map: undefined,
};
const dangers = { grave: ['eth0 carries the default route'], remarks: ['eth0 has the address 10.0.0.1/24'] };
const map = { id: 5, text: 'xskmap 5' };

/** The warnings, each with its hint, as one text. */
function warnings(asked: Partial<BindRequest>, changes: Partial<BindScene>): string[] {
  const found = bindWarnings({ ...request, ...asked }, { ...scene, ...changes });
  return found.map(({ message, hint }) => `${message} | ${hintText(hint, typedAt('blue')) ?? ''}`);
}

describe('what is said before a socket is bound', () => {
  it('is nothing where there is nothing to say', () => {
    expect(warnings({}, {})).toEqual([]);
    expect(warnings(withMap, { map: { ...map, used: true } })).toEqual([]);
    expect(warnings(withMap, { map: { ...map, used: undefined } })).toEqual([]);
  });

  it.each(['auto', 'zerocopy'] as const)('is that a driver with zero-copy may reset its rings, in mode %s', (mode) => {
    expect(warnings({ ...withMap, mode }, { zeroCopy: true, map: { ...map, used: true } })).toEqual([
      expect.stringMatching(/^eth0 can do zero-copy: its driver may reset the rings .*\| with --copy it does not$/),
    ]);
  });

  it.each([
    ['in copy mode', 'copy', true],
    ['where the driver has no zero-copy', 'auto', false],
    ['where the kernel does not tell', 'auto', undefined],
  ] as const)('is nothing about rings %s', (_, mode, zeroCopy) => {
    expect(warnings({ mode }, { zeroCopy })).toEqual([]);
  });

  it('is that hardware may reset its rings for the first native program, whatever the copying', () => {
    const hardware = expect.stringMatching(/^eth0 is hardware: with the first native program .* rings/) as string;
    expect(warnings({ mode: 'copy' }, { hardware: true, zeroCopy: true })).toEqual([hardware]);
    expect(warnings({}, { hardware: true, zeroCopy: true })).toHaveLength(2);
    expect(warnings({ path: { attach: 'generic' } }, { hardware: true })).toEqual([]);
    expect(warnings(withMap, { hardware: true, map: { ...map, used: true } })).toEqual([]);
  });

  it('is that the interface is down', () => {
    expect(warnings({}, { device: { ...scene.device, up: false } })).toEqual([
      'eth0 is down: no frames will come | ip link set dev eth0 up',
    ]);
  });

  it('is that no program uses the map, and how to attach one', () => {
    expect(warnings(withMap, { map: { ...map, used: false }, dangers })).toEqual([
      'no XDP program that uses xskmap 5 is attached to eth0: no frames will come | attach one (xdpctl --netns blue redirect attach eth0 --map id:5), or let xsk bind bring one: --attach instead of --map',
    ]);
  });

  it('is what the stack will not get any more', () => {
    const taken = [
      'eth0 carries the default route: what arrives at queue 3 no longer gets there | ',
      `${dangers.remarks[0]} | `,
    ];
    expect(warnings({ yes: true }, { dangers })).toEqual(taken);
    expect(warnings(withMap, { dangers, map: { ...map, used: true } })).toEqual(taken);
  });

  it.each([
    [1778, 2048, []],
    [1779, 2048, ['1793 bytes, and a buffer takes 1792', '--frame-size 4096 takes frames of 3840 bytes, 2048 of 1792']],
    [3826, 2048, ['3840 bytes, and a buffer takes 1792', '2048 of 1792']],
    [
      9000,
      2048,
      ['9014 bytes, and a buffer takes 1792', 'for larger ones a smaller MTU: ip link set dev eth0 mtu 3826'],
    ],
    [3826, 4096, []],
    [3827, 4096, ['3841 bytes, and a buffer takes 3840', 'a smaller MTU: ip link set dev eth0 mtu 3826']],
  ])('is that frames may be too large, with an MTU of %i and buffers of %i bytes', (mtu, frameSize, words) => {
    const found = warnings({ spec: { ...spec, frameSize } }, { device: { ...scene.device, mtu } });
    expect(found).toHaveLength(words.length === 0 ? 0 : 1);
    for (const word of words) expect(found[0]).toContain(word);
    const mtuHelps = frameSize === 4096 || mtu > 3826;
    expect(found.join().includes('smaller MTU')).toBe(words.length > 0 && mtuHelps);
  });

  it('is that older kernels give a socket no frames of several buffers', () => {
    const large = { device: { ...scene.device, mtu: 4000 }, fragments: false };
    const asked = { spec: { ...spec, frameSize: 4096 } };
    const [, text] = warnings(asked, large);
    expect(text).toMatch(
      /^frames of eth0 may have 4014 bytes, and before Linux 6\.6 .* of more than 3512: .* \| .*3498$/,
    );
    expect(warnings(asked, { ...large, fragments: true })).toHaveLength(1);
    expect(warnings({ ...asked, path: { attach: 'generic' } }, large)).toHaveLength(1);
    expect(warnings(asked, { ...large, device: { ...scene.device, mtu: 3498 } })).toEqual([]);
    // Those do not fit anyway.
    expect(warnings({}, large)).toHaveLength(1);
  });
});
