import { describe, expect, it } from 'vitest';

import { parseProgramHandle, programHandleText, takeProgramHandle } from '../../../src/cli/words/program-handle.ts';
import { WordList } from '../../../src/cli/words/word-list.ts';

const tag = '3b185187f1855c4c';

describe('a program', () => {
  it.each([
    [['id', '5'], 'id:5', { by: 'id', id: 5 }],
    [['tag', tag], `tag:${tag}`, { by: 'tag', tag }],
    [['tag', tag.toUpperCase()], `tag:${tag.toUpperCase()}`, { by: 'tag', tag }],
    [['name', 'egress'], 'name:egress', { by: 'name', name: 'egress' }],
    [['pinned', '/sys/fs/bpf/p'], 'pinned:/sys/fs/bpf/p', { by: 'pinned', path: '/sys/fs/bpf/p' }],
    [['builtin', 'pass'], 'builtin:pass', { by: 'builtin', name: 'pass' }],
    [['/sys/fs/bpf/p'], '/sys/fs/bpf/p', { by: 'pinned', path: '/sys/fs/bpf/p' }],
    [['egress'], 'egress', { by: 'name', name: 'egress' }],
  ])('%j is named so', (typed, option, handle) => {
    const words = new WordList([...typed, 'any']);
    expect(takeProgramHandle(words)).toEqual(handle);
    expect(words.peek()).toBe('any');
    expect(parseProgramHandle(option)).toEqual(handle);
    expect(
      takeProgramHandle(new WordList(programHandleText(takeProgramHandle(new WordList(typed))).split(' '))),
    ).toEqual(handle);
  });

  it.each([['abc'], [''], [`${tag}0`], [`0x${tag.slice(2)}`]])('has no tag %j', (word) => {
    expect(() => takeProgramHandle(new WordList(['tag', word]))).toThrow('16 hexadecimal digits');
    expect(() => parseProgramHandle(`tag:${word}`)).toThrow('16 hexadecimal digits');
  });

  it('needs a word after tag and builtin', () => {
    expect(() => takeProgramHandle(new WordList(['tag']))).toThrow("the program's tag is missing");
    expect(() => takeProgramHandle(new WordList(['builtin']))).toThrow("the builtin program's name is missing");
  });
});
