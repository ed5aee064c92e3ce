import * as fc from 'fast-check';

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
  type NetlinkMessage,
} from '../../../src/domain/netlink-message.ts';
import { readAddresses } from '../../../src/kernel/addresses.ts';
import { readDefaultRoutes } from '../../../src/kernel/default-routes.ts';
import { readInterface, readInterfaces } from '../../../src/kernel/interfaces.ts';
import { netnsIdOf } from '../../../src/kernel/namespaces.ts';
import { decodeFeatures } from '../../../src/kernel/netdev-features.ts';
import type { NetlinkSocket } from '../../../src/kernel/netlink.ts';
import { edits, mutated } from '../mutants.ts';
import { must, mustEqual, target } from '../target.ts';
import { anyText } from '../texts.ts';

/** Attributes as rtnetlink has them, some of them nests. */
const attributes: fc.Arbitrary<Uint8Array> = fc.letrec<{ list: Uint8Array }>((tie) => ({
  list: fc
    .array(
      fc.record({
        type: fc.oneof(fc.nat(60), fc.nat(0xffff)),
        payload: fc.oneof(
          { maxDepth: 3, depthIdentifier: 'nest' },
          fc.uint8Array({ maxLength: 16 }),
          anyText.map(encodeString),
          fc.constantFrom(4, 8, 6).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
          tie('list'),
        ),
      }),
      { maxLength: 8 },
    )
    .map((all) => encodeAttributes(all.filter(({ payload }) => payload.length < 0xff00))),
})).list;

/** Messages of any types, most of those that are read here. */
const message: fc.Arbitrary<NetlinkMessage> = fc
  .record({
    type: fc.oneof(fc.constantFrom(2, 3, 16, 20, 24, 88), fc.nat(0xffff)),
    flags: fc.oneof(fc.constantFrom(0, 0x100, 0x200, 0x300), fc.nat(0xffff)),
    sequence: fc.nat(3),
    head: fc.uint8Array({ maxLength: 24 }),
    rest: attributes,
  })
  .map(({ head, rest, ...others }) => ({ ...others, body: Buffer.concat([head, rest]) }));

function answering(messages: NetlinkMessage[]): NetlinkSocket {
  return { dump: () => messages, get: () => messages } as unknown as NetlinkSocket;
}

export const netlinkTargets = [
  target({
    name: 'netlink/round-trip',
    arbitrary: fc.record({ messages: fc.array(message, { maxLength: 4 }), text: anyText }),
    check({ messages, text }) {
      const padded = messages.map((each) => {
        const bytes = encodeMessage(each);
        return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
      });
      const read = decodeMessages(Buffer.concat(padded));
      mustEqual(
        read.map(({ type, flags, sequence, body }) => [type, flags, sequence, [...body]]),
        messages.map(({ type, flags, sequence, body }) => [type, flags, sequence, [...body]]),
      );
      const payload = encodeString(text);
      mustEqual(encodeString(decodeString(payload)).length, payload.indexOf(0) + 1, 'the length of the text');
    },
  }),
  target({
    name: 'netlink/damaged',
    arbitrary: fc.record({ messages: fc.array(message, { minLength: 1, maxLength: 4 }), changes: edits() }),
    check({ messages, changes }) {
      const bytes = mutated(Buffer.concat(messages.map(encodeMessage)), changes);
      const read = decodeMessages(bytes);
      must(read.length <= bytes.length / 16, `${read.length} messages in ${bytes.length} bytes`);
      for (const each of read) {
        const { errno, text } = decodeAnswer(each);
        must(errno >= 0 && (text === undefined || typeof text === 'string'), `errno ${errno}`);
        for (const payload of decodeAttributes(each.body).values()) {
          decodeU32(payload);
          decodeS32(payload);
          decodeString(payload);
        }
      }
      readAll(read);
    },
  }),
  target({
    name: 'netlink/interfaces',
    arbitrary: fc.array(message, { maxLength: 3 }),
    check: readAll,
  }),
];

/** All that reads messages of rtnetlink and generic netlink. */
function readAll(messages: NetlinkMessage[]): void {
  const socket = answering(messages);
  for (const each of readInterfaces(socket)) {
    must(!each.name.includes('\0') && Number.isInteger(each.mtu), JSON.stringify(each));
  }
  readInterface('eth0', socket);
  readAddresses(socket);
  readDefaultRoutes(socket);
  netnsIdOf(0, socket);
  for (const { body } of messages) decodeFeatures(decodeAttributes(body));
}
