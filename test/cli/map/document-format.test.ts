import { describe, expect, it } from 'vitest';

import { parseDocument } from '../../../src/cli/map/document/format.ts';

const map = { type: 'hash', bytes_key: 4, bytes_value: 4 };

describe('a document', () => {
  it.each([
    [{ xdpctl: 1, map, entries: [] }],
    [{ xdpctl: 1, map: { ...map, name: 'm', max_entries: 5, flags: 0 }, entries: [1, null], complete: true }],
  ])('may be %j', (document) => {
    expect(parseDocument(JSON.stringify(document), 'x')).toMatchObject({
      map: document.map,
      entries: document.entries,
    });
  });

  it.each([
    ['', 'x is no JSON document: '],
    ['{', 'x is no JSON document: '],
    ['[]', 'x is no document of \'xdpctl map export\': it has no "xdpctl": 1'],
    ['null', 'it has no "xdpctl": 1'],
    ['7', 'it has no "xdpctl": 1'],
    ['{}', 'it has no "xdpctl": 1'],
    ['{"xdpctl":2}', 'x is a document of format 2; this xdpctl reads 1'],
    ['{"xdpctl":"1"}', 'x is a document of format "1"; this xdpctl reads 1'],
    ['{"xdpctl":1}', "x: 'map' is missing or not what it must be: object is wanted"],
    [`{"xdpctl":1,"map":${JSON.stringify(map)}}`, "x: 'entries' is missing"],
    [`{"xdpctl":1,"map":${JSON.stringify(map)},"entries":{}}`, "x: 'entries' is missing or not what it must be"],
    ['{"xdpctl":1,"map":{"type":5,"bytes_key":4,"bytes_value":4},"entries":[]}', "'map.type' is missing or not"],
    ['{"xdpctl":1,"map":{"type":"hash","bytes_key":-4,"bytes_value":4},"entries":[]}', "'map.bytes_key' is missing"],
    ['{"xdpctl":1,"map":{"type":"hash","bytes_key":4,"bytes_value":1.5},"entries":[]}', "'map.bytes_value' is missing"],
    [
      '{"xdpctl":1,"map":{"type":"hash","bytes_key":4,"bytes_value":4,"x":1},"entries":[]}',
      "'map' has an unknown key 'x'",
    ],
    [`{"xdpctl":1,"map":${JSON.stringify(map)},"entries":[],"y":1}`, "the document has an unknown key 'y'"],
    [`{"xdpctl":1,"map":${JSON.stringify(map)},"entries":[],"complete":false}`, 'x is not complete'],
    [`{"xdpctl":1,"map":${JSON.stringify(map)},"entries":[],"complete":"yes"}`, "'complete' is missing or not"],
  ])('cannot be %s', (text, message) => {
    expect(() => parseDocument(text, 'x')).toThrow(message);
  });
});
