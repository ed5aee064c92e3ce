import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';

import {
  interfaceDescription,
  interfaceStatistics,
  packetBlockLength,
  PACKET_HEADER_SIZE,
  sectionHeader,
  timestampOf,
  writePacketHeader,
} from '../../../src/domain/pcapng.ts';
import { readPcapng } from '../../support/pcapng-reader.ts';
import { must, mustEqual, target } from '../target.ts';
import { anyText } from '../texts.ts';

const count = fc.maxSafeNat();

const capture = fc.record({
  os: anyText,
  application: anyText,
  name: anyText,
  description: anyText,
  frames: fc.array(
    fc.record({
      time: fc.nat(2 ** 31 - 1).map((seconds) => seconds * 1_000_003),
      frame: fc.uint8Array({ minLength: 1, maxLength: 90 }),
    }),
    {
      maxLength: 4,
    },
  ),
  statistics: fc.record({ received: count, dropped: count, delivered: count }),
});

function packetBlock(time: number, frame: Uint8Array): Uint8Array {
  const length = packetBlockLength(frame.length);
  const words = new Uint32Array(length / 4);
  const { high, low } = timestampOf(time);
  writePacketHeader(words, 0, Uint32Array.of(high, low), frame.length);
  words[words.length - 1] = length;
  const bytes = new Uint8Array(words.buffer);
  bytes.set(frame, PACKET_HEADER_SIZE);
  return bytes;
}

/** Files that tcpdump has not judged yet, as sections of one file. */
let unjudged: Uint8Array[] = [];
let frames = 0;

export const pcapngTargets = [
  target({
    name: 'pcapng/capture',
    arbitrary: capture,
    check({ os, application, name, description, frames: list, statistics }) {
      const file = Buffer.concat([
        sectionHeader({ os, application }),
        interfaceDescription({ name, description }),
        ...list.map(({ time, frame }) => packetBlock(time, frame)),
        interfaceStatistics({ start: timestampOf(0), end: timestampOf(1), ...statistics }),
      ]);
      const read = readPcapng(file);
      mustEqual(
        read.packets.map(({ time, frame }) => [time, [...frame]]),
        list.map(({ time, frame }) => [time, [...frame]]),
        'the frames',
      );
      mustEqual(
        new TextDecoder('utf-8', { ignoreBOM: true }).decode(read.interface[2]),
        new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(name)),
        'the name',
      );
      must(read.statistics !== undefined, 'no statistics');
      unjudged.push(file);
      frames += list.length;
    },
    judge,
  }),
];

function judge(): void {
  if (unjudged.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-fuzz-'));
  try {
    const file = join(folder, 'all.pcapng');
    writeFileSync(file, Buffer.concat(unjudged));
    const { stdout, stderr, error } = spawnSync('tcpdump', ['-r', file, '--count'], { encoding: 'utf8' });
    if (error !== undefined) throw error;
    const counted = /^(\d+) packets?$/m.exec(stdout)?.[1];
    must(counted === String(frames), `tcpdump reads ${counted} of ${frames} frames: ${stderr}`);
  } finally {
    unjudged = [];
    frames = 0;
    rmSync(folder, { recursive: true });
  }
}
