import * as fc from 'fast-check';

import { parseCpuList } from '../../../src/domain/cpu-list.ts';
import { canonicalIp, ipText } from '../../../src/domain/ip-address.ts';
import { kernelAtLeast, parseKernelVersion } from '../../../src/domain/kernel-version.ts';
import {
  dropCounters,
  flowCounters,
  framesWithoutRoom,
  readLossRecords,
  sumOfLosses,
} from '../../../src/domain/loss-record.ts';
import { parseSocketMappings, ringSizeOf } from '../../../src/domain/xsk-mappings.ts';
import { bpffsMountsIn } from '../../../src/kernel/bpffs-path.ts';
import { functionsIn } from '../../../src/kernel/kernel-symbols.ts';
import { capabilitiesIn } from '../../../src/kernel/surroundings.ts';
import { mutantTexts } from '../mutants.ts';
import { must, mustEqual, tame, target } from '../target.ts';
import { anyText, numberWord } from '../texts.ts';

const mounts = [
  'sysfs /sys sysfs rw 0 0\nbpf /sys/fs/bpf bpf rw,mode=700 0 0\nbpf /mnt/a\\040b\\134c bpf rw 0 0\n',
  'none /x\\012y bpf rw 0 0\n',
];
const status = ['Name:\tnode\nPPid:\t1\nCapEff:\t000001ffffffffff\n', 'CapEff:\t0000000000000000\n'];
const kallsyms = [
  'ffffffff8154a5d0 T dev_map_redirect\nffffffff8154a600 t veth_xmit.cold\t[veth]\n0000000000000000 T x\n',
];
const maps = [
  '7f0000000000-7f0000021000 rw-s 00000000 00:08 12345                      socket:[12345]\n',
  '7f0000000000-7f0000001000 rw-s 100000000 00:08 12345 socket:[12345]\n7f00-7fff r--p 0 0:0 0 /lib/x\n',
];

/** struct loss: 16 words. */
const slot = fc.array(fc.oneof(fc.nat(12), fc.nat(0xffff_ffff)), { minLength: 16, maxLength: 16 });

export const procTargets = [
  target({
    name: 'proc/mounts',
    arbitrary: fc.oneof(mutantTexts(mounts), anyText),
    check(text) {
      const list = bpffsMountsIn(text);
      mustEqual(new Set(list).size, list.length, 'the number of different mounts');
    },
  }),
  target({
    name: 'proc/status',
    arbitrary: fc.oneof(mutantTexts(status), anyText),
    check(text) {
      for (const name of capabilitiesIn(text) ?? []) must(name.startsWith('CAP_'), name);
    },
  }),
  target({
    name: 'proc/kallsyms',
    arbitrary: fc.record({
      text: fc.oneof(mutantTexts(kallsyms), anyText),
      address: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    }),
    check({ text, address }) {
      const name = functionsIn(text)(address);
      must(name === undefined || !/\s/.test(name), JSON.stringify(name));
    },
  }),
  target({
    name: 'proc/maps',
    arbitrary: fc.oneof(mutantTexts(maps), anyText),
    check(text) {
      for (const [inode, rings] of parseSocketMappings(text)) {
        must(Number.isInteger(inode), `inode ${inode}`);
        for (const length of Object.values(rings)) ringSizeOf('rx', length, 64, 4096);
      }
    },
  }),
  target({
    name: 'proc/cpu-list',
    arbitrary: fc.oneof(
      anyText,
      fc
        .array(
          fc.oneof(
            numberWord,
            fc.tuple(fc.nat(300), fc.nat(300)).map((pair) => pair.join('-')),
          ),
          { maxLength: 5 },
        )
        .map((list) => list.join(',')),
    ),
    check(text) {
      const cpus = tame(() => parseCpuList(text), [RangeError]);
      if (cpus !== undefined) mustEqual(parseCpuList(cpus.join(',')), cpus);
    },
  }),
  target({
    name: 'proc/release-and-addresses',
    arbitrary: fc.record({
      text: fc.oneof(anyText, fc.constantFrom('6.18.44-x', '5.10', 'fe80::1%eth0', '::ffff:1.2.3.4')),
      bytes: fc.uint8Array({ maxLength: 20 }),
    }),
    check({ text, bytes }) {
      const version = parseKernelVersion(text);
      if (version !== undefined) must(kernelAtLeast(version, `${version.major}.${version.minor}`), text);
      const address = canonicalIp(text);
      mustEqual(canonicalIp(address), address, 'its canonical form');
      ipText(bytes);
    },
  }),
  target({
    name: 'proc/loss-records',
    arbitrary: fc.record({
      slots: fc.nat(4),
      words: fc.array(slot, { maxLength: 12 }).map((list) => list.flat()),
    }),
    check({ slots, words }) {
      const memory = Uint32Array.from(words);
      const records = readLossRecords(memory, slots + 1);
      const reasons = { names: new Map([[2, 'NOT_SPECIFIED']]) };
      for (const counter of dropCounters(records, reasons)) must(counter.count >= 0, `a count of ${counter.count}`);
      flowCounters(records);
      must(framesWithoutRoom(records) >= 0 && sumOfLosses(memory) >= 0, 'a negative sum');
    },
  }),
];
