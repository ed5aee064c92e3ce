import { describe, expect, it } from 'vitest';

import { attachmentText, conflictOf, detachCommand } from '../../../src/cli/net/conflict.ts';
import { hintText } from '../../../src/domain/errors.ts';
import { typedAt, typedHere } from '../../../src/domain/typed-command.ts';
import type { NetAttachment } from '../../../src/kernel/net-attachments.ts';

const native: NetAttachment = {
  ifindex: 2,
  ifname: 'eth0',
  mode: 'native',
  progId: 60,
  prog: { name: 'forward', tag: '0123456789abcdef', mapIds: [] },
};
const generic: NetAttachment = { ...native, mode: 'generic' };
const offloaded: NetAttachment = { ...native, mode: 'offload' };
const linked: NetAttachment = { ...native, linkId: 5 };

describe('conflictOf', () => {
  it.each([
    [[], 'native', false],
    [[], undefined, false],
    [[native], 'native', true],
    [[native], undefined, true],
    [[native], 'offload', false],
    [[offloaded], 'native', false],
  ] as const)('finds nothing in the way of %j, %s, overwrite %s', (attached, mode, overwrite) => {
    expect(conflictOf(attached, mode, overwrite)).toBeUndefined();
  });

  it.each([
    [[native], 'native', false, /^add overwrite .*: xdpctl net detach xdpdrv dev eth0$/],
    [[native], undefined, false, /^add overwrite/],
    [[native], 'generic', true, /^take it off first: xdpctl net detach xdpdrv dev eth0$/],
    [[generic], 'native', true, /net detach xdpgeneric dev eth0$/],
    [[linked], 'native', true, /^take it off first: xdpctl link detach id 5$/],
    [[native, offloaded], 'offload', false, /net detach xdpoffload dev eth0$/],
  ] as const)('says what to do about %j, %s, overwrite %s', (attached, mode, overwrite, hint) => {
    expect(hintText(conflictOf(attached, mode, overwrite)?.hint, typedHere)).toMatch(hint);
  });
});

describe('what is attached, in words', () => {
  it('names program, mode and link', () => {
    expect(attachmentText(native)).toBe('program 60 (forward) in native mode');
    expect(attachmentText(linked)).toBe('program 60 (forward) in native mode, held by link 5,');
    expect(attachmentText({ ifindex: 2, ifname: 'eth0', mode: 'generic', progId: 7 })).toBe(
      'program 7 in generic mode',
    );
  });

  it('quotes what is typed', () => {
    expect(detachCommand({ ...native, ifname: '$(id)' }, typedHere)).toBe("xdpctl net detach xdpdrv dev '$(id)'");
  });

  it('leads to the namespace that the user named', () => {
    expect(detachCommand(linked, typedAt('r;1'))).toBe("xdpctl --netns 'r;1' link detach id 5");
  });
});
