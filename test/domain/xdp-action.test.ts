import { describe, expect, it } from 'vitest';

import {
  xdpAction,
  xdpActionName,
  xdpActionNames,
  xdpActionNumber,
  xdpActionText,
} from '../../src/domain/xdp-action.ts';

describe('XDP actions', () => {
  it('has the numbers of enum xdp_action', () => {
    expect(xdpActionNames).toEqual(['ABORTED', 'DROP', 'PASS', 'TX', 'REDIRECT']);
    expect(xdpAction).toEqual({ aborted: 0, drop: 1, pass: 2, tx: 3, redirect: 4 });
  });

  it('goes from number to name and back', () => {
    for (const [number, name] of xdpActionNames.entries()) {
      expect(xdpActionName(number)).toBe(name);
      expect(xdpActionNumber(name)).toBe(number);
      expect(xdpActionNumber(`xdp_${name.toLowerCase()}`)).toBe(number);
      expect(xdpActionText(number)).toBe(`XDP_${name}`);
    }
  });

  it('shows a number that is no action as it is', () => {
    expect(xdpActionName(42)).toBeUndefined();
    expect(xdpActionText(42)).toBe('42');
    expect(xdpActionNumber('FORWARD')).toBeUndefined();
  });
});
