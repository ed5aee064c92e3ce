import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  decodeAnswer,
  decodeAttributes,
  decodeMessages,
  decodeS32,
  decodeString,
  decodeU32,
  encodeAttributes,
  encodeMessage,
  encodeString,
  encodeU32,
  type NetlinkAnswer,
  NLMSG_DONE,
  NLMSG_ERROR,
} from '../../src/domain/netlink-message.ts';

const payload = fc.uint8Array({ maxLength: 300 });
const attribute = fc.record({ type: fc.integer({ min: 0, max: 0x3fff }), payload });
const message = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  flags: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  body: payload,
});

describe('netlink messages', () => {
  it('come back as they were encoded', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
        const bytes = Buffer.concat(
          messages.map((each) => {
            const encoded = encodeMessage(each);
            return Buffer.concat([encoded, Buffer.alloc(-encoded.length & 3)]);
          }),
        );
        const decoded = decodeMessages(new Uint8Array(bytes));
        expect(decoded.map(({ body, ...rest }) => ({ ...rest, body: [...body] }))).toEqual(
          messages.map(({ body, ...rest }) => ({ ...rest, body: [...body] })),
        );
      }),
    );
  });

  it('are read from any bytes without a failure', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        for (const each of decodeMessages(bytes)) {
          decodeAnswer(each);
          decodeAttributes(each.body);
        }
      }),
    );
  });
});

describe('netlink attributes', () => {
  it('come back as they were encoded, wherever they lie in a buffer', () => {
    const different = fc.uniqueArray(attribute, { selector: ({ type }) => type, maxLength: 10 });
    fc.assert(
      fc.property(different, fc.integer({ min: 0, max: 3 }), (attributes, offset) => {
        const encoded = encodeAttributes(attributes);
        expect(encoded.length % 4).toBe(0);
        const shifted = new Uint8Array(encoded.length + offset);
        shifted.set(encoded, offset);
        const decoded = decodeAttributes(shifted.subarray(offset));
        expect([...decoded].map(([type, bytes]) => [type, [...bytes]])).toEqual(
          attributes.map(({ type, payload: bytes }) => [type, [...bytes]]),
        );
      }),
    );
  });

  it('are known by their type, whatever its flags', () => {
    expect(decodeAttributes(encodeAttributes([{ type: 0x8000 | 18, payload: new Uint8Array(4) }])).has(18)).toBe(true);
  });

  it('hold 65,531 bytes and no more', () => {
    const largest = encodeAttributes([{ type: 1, payload: new Uint8Array(65_531).fill(7) }]);
    expect(decodeAttributes(largest).get(1)).toHaveLength(65_531);
    expect(() => encodeAttributes([{ type: 1, payload: new Uint8Array(65_532) }])).toThrow(RangeError);
  });

  it('end where one claims more bytes than there are', () => {
    const bytes = encodeAttributes([
      { type: 1, payload: encodeU32(5) },
      { type: 2, payload: encodeU32(6) },
    ]);
    bytes[8] = 200;
    expect([...decodeAttributes(bytes).keys()]).toEqual([1]);
  });

  it('hold numbers and texts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
        expect(decodeU32(encodeU32(value))).toBe(value);
        expect(decodeS32(encodeU32(value))).toBe(value | 0);
      }),
    );
    expect(decodeU32(new Uint8Array(3))).toBeUndefined();
    expect(decodeString(encodeString('eth0'))).toBe('eth0');
    expect(decodeString(new TextEncoder().encode('eth0'))).toBe('eth0');
  });
});

describe('an answer of the kernel', () => {
  const text = encodeAttributes([
    { type: 2, payload: encodeU32(40) },
    { type: 1, payload: encodeString('Peer MTU is too large') },
  ]);
  const request = encodeMessage({ type: 19, flags: 5, sequence: 1, body: new Uint8Array(22) });

  it('is an acknowledgement, an errno, or an errno with a text', () => {
    expect(answer(0, error(0), request)).toEqual({ errno: 0 });
    expect(answer(0, error(34), request)).toEqual({ errno: 34 });
    const why = { errno: 34, text: 'Peer MTU is too large' };
    expect(answer(0x200, error(34), request, new Uint8Array(2), text)).toEqual(why);
    expect(answer(0x300, error(34), request.subarray(0, 16), text)).toEqual(why);
  });

  it('ends a dump', () => {
    const done = { type: NLMSG_DONE, sequence: 1 };
    expect(decodeAnswer({ ...done, flags: 2, body: error(0) })).toEqual({ errno: 0 });
    expect(decodeAnswer({ ...done, flags: 0x202, body: Buffer.concat([error(22), text]) })).toEqual({
      errno: 22,
      text: 'Peer MTU is too large',
    });
  });
});

function error(errno: number): Uint8Array {
  return encodeU32(-errno);
}

function answer(flags: number, ...parts: Uint8Array[]): NetlinkAnswer {
  return decodeAnswer({ type: NLMSG_ERROR, flags, sequence: 1, body: Buffer.concat(parts) });
}
