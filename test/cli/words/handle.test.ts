import { describe, expect, it } from 'vitest';

import { type Handle, handleText, parseHandle, takeHandle } from '../../../src/cli/words/handle.ts';
import { WordList } from '../../../src/cli/words/word-list.ts';

describe('a handle', () => {
  it.each<[words: string[], option: string, handle: Handle]>([
    [['id', '5'], 'id:5', { by: 'id', id: 5 }],
    [['id', '4294967295'], 'id:0xffffffff', { by: 'id', id: 4_294_967_295 }],
    [['name', 'foo'], 'name:foo', { by: 'name', name: 'foo' }],
    [['name', 'id'], 'name:id', { by: 'name', name: 'id' }],
    [['foo'], 'foo', { by: 'name', name: 'foo' }],
    [['name', 'a:b'], 'name:a:b', { by: 'name', name: 'a:b' }],
    [['pinned', '/p/x'], 'pinned:/p/x', { by: 'pinned', path: '/p/x' }],
    [['/p/x/'], '/p/x', { by: 'pinned', path: '/p/x' }],
  ])('%j is, as the value of an option, %s', (words, option, handle) => {
    const list = new WordList(words);
    expect(takeHandle(list, 'map')).toEqual(handle);
    expect(list.done).toBe(true);
    expect(parseHandle(option, 'map')).toEqual(handle);
    expect(parseHandle(handleText(handle).replace(' ', ':'), 'map')).toEqual(handle);
  });

  it.each<[words: string[], option: string, message: string]>([
    [['id', ''], 'id:', "the map's id is an empty word"],
    [['id', '4294967296'], 'id:4294967296', "the map's id 4294967296 is out of range"],
    [['id', '-1'], 'id:-1', "the map's id cannot be negative: -1"],
    [['id', '010'], 'id:010', "the map's id 010 begins with a zero"],
    [['name', ''], 'name:', "the map's name is an empty word"],
    [[''], '', "the map's name is an empty word"],
    [['pinned', ''], 'pinned:', 'the pin is an empty word'],
    [['pinned', 'a/b'], 'pinned:a/b', "pin path 'a/b' is relative"],
    [['/a\0b'], '/a\0b', 'a path cannot contain a zero byte'],
  ])('%j and %s are refused', (words, option, message) => {
    expect(() => takeHandle(new WordList(words), 'map')).toThrow(message);
    expect(() => parseHandle(option, 'map')).toThrow(message);
  });

  it.each([
    [[], 'the map is missing'],
    [['id'], "the map's id is missing"],
    [['pinned'], "the map's pin is missing"],
  ])('%j is not complete', (words, message) => {
    expect(() => takeHandle(new WordList(words), 'map')).toThrow(message);
  });
});
