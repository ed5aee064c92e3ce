import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  interfaceDescription,
  interfaceStatistics,
  PACKET_HEADER_SIZE,
  packetBlockLength,
  packetPadding,
  sectionHeader,
  timestampOf,
  writePacketHeader,
} from '../../src/domain/pcapng.ts';
import { readBlocks, readPcapng } from '../support/pcapng-reader.ts';

const head = [
  sectionHeader({ os: 'Linux 6.18', application: 'xdpctl 1.2.3' }),
  interfaceDescription({ name: 'eth0', description: 'receive queue 3' }),
];

function packetBlock(frame: Uint8Array, microseconds: number): Uint8Array {
  const { high, low } = timestampOf(microseconds);
  const words = new Uint32Array(PACKET_HEADER_SIZE / 4);
  writePacketHeader(words, 0, Uint32Array.of(high, low), frame.length);
  const length = packetBlockLength(frame.length);
  return Buffer.concat([
    new Uint8Array(words.buffer),
    frame,
    new Uint8Array(packetPadding(frame.length)),
    new Uint8Array(Uint32Array.of(length).buffer),
  ]);
}

describe('pcapng', () => {
  it('names interface, system and program', () => {
    const file = readPcapng(Buffer.concat(head));
    expect(text(file.interface[2])).toBe('eth0');
    expect(text(file.interface[3])).toBe('receive queue 3');
    expect(file.interface[9]).toEqual(Uint8Array.of(6));
    expect(text(readBlocks(head[0]!)[0]!.body)).toContain('xdpctl 1.2.3');
  });

  it('keeps frames of any length and their times to the microsecond', () => {
    const frame = fc.record({
      bytes: fc.uint8Array({ maxLength: 100 }),
      time: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 10 }), (frames) => {
        const file = readPcapng(Buffer.concat([...head, ...frames.map(({ bytes, time }) => packetBlock(bytes, time))]));
        expect(file.packets.map(({ frame: bytes, time }) => ({ bytes: [...bytes], time }))).toEqual(
          frames.map(({ bytes, time }) => ({ bytes: [...bytes], time })),
        );
      }),
    );
  });

  it('counts what came, what was lost and what is in the file', () => {
    const { statistics } = readPcapng(
      Buffer.concat([
        ...head,
        interfaceStatistics({
          start: timestampOf(1_700_000_000_000_000),
          end: timestampOf(1_700_000_001_000_000),
          received: 2 ** 40,
          dropped: 7,
          delivered: 2 ** 40 - 7,
        }),
      ]),
    );
    expect(statistics).toBeDefined();
    expect(u64(statistics![4])).toBe(2n ** 40n);
    expect(u64(statistics![7])).toBe(7n);
    expect(u64(statistics![8])).toBe(2n ** 40n - 7n);
  });
});

function text(bytes: Uint8Array | DataView | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

function u64(bytes: Uint8Array | undefined): bigint {
  return Buffer.from(bytes ?? []).readBigUInt64LE();
}
