import { describe, expect, it } from 'vitest';

import { ToolError } from '../../src/domain/errors.ts';
import { typedAt, typedHere } from '../../src/domain/typed-command.ts';

describe('a command to type', () => {
  it.each([
    [undefined, 'xdpctl net show', 'ip link'],
    ['blue', 'xdpctl --netns blue net show', 'ip netns exec blue ip link'],
    ['a b', "xdpctl --netns 'a b' net show", "ip netns exec 'a b' ip link"],
    ['4711', 'xdpctl --netns 4711 net show', 'nsenter -t 4711 -n ip link'],
    ['/proc/7/ns/net', 'xdpctl --netns /proc/7/ns/net net show', 'nsenter --net=/proc/7/ns/net ip link'],
    ['./x;y', "xdpctl --netns './x;y' net show", "nsenter '--net=./x;y' ip link"],
  ])('leads to the namespace %s', (netns, own, other) => {
    expect(typedAt(netns).own(['net', 'show'])).toBe(own);
    expect(typedAt(netns).other(['ip', 'link'])).toBe(other);
  });
});

describe('a name that looks like an option', () => {
  it.each([
    [['redirect', 'detach', '--help', '--force', '5'], 'xdpctl redirect detach --force 5 -- --help'],
    [['redirect', 'attach', '-a', '--to', '-b'], 'xdpctl redirect attach --to -b -- -a'],
    [['xsk', 'bind', '-j', '--queue', '0'], 'xdpctl xsk bind --queue 0 -- -j'],
    [['net', 'attach', 'xdpdrv', 'builtin', 'pass', 'dev', '-x'], 'xdpctl net attach -- xdpdrv builtin pass dev -x'],
    [
      ['map', 'update', 'pinned', '/p', 'key', '0', 'value', 'dev', '-'],
      'xdpctl map update -- pinned /p key 0 value dev -',
    ],
    [['redirect', 'show'], 'xdpctl redirect show'],
  ])('%j is typed as a name', (words, typed) => {
    expect(typedHere.own(words)).toBe(typed);
  });
});

describe('the hint of an error', () => {
  const error = new ToolError('conflict', 'busy', { hint: ({ own }) => `see: ${own(['net', 'show'])}`, errno: 16 });

  it('names commands as they are to be typed', () => {
    expect(error.hint).toBe('see: xdpctl net show');
    expect(error.hintTyped(typedHere)).toBe('see: xdpctl net show');
    expect(error.hintTyped(typedAt('blue'))).toBe('see: xdpctl --netns blue net show');
    expect(new ToolError('bug', 'odd').hintTyped(typedAt('blue'))).toBeUndefined();
  });

  it('stays when the error is reworded, unless it gets another', () => {
    const reworded = error.reworded('setup:3: busy');
    expect(reworded).toMatchObject({ kind: 'conflict', message: 'setup:3: busy', errno: 16, cause: error });
    expect(reworded.hintTyped(typedAt('blue'))).toBe('see: xdpctl --netns blue net show');
    expect(error.reworded('busy', { hint: 'wait' }).hintTyped(typedAt('blue'))).toBe('wait');
  });
});
