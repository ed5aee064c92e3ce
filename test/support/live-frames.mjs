/**
 * Sends Ethernet frames out of an interface from inside the kernel (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18): millions a
 * second, more than any process can. The peer of a veth gets them in native XDP, so it must have a program.
 *
 *     node test/support/live-frames.mjs veth0 --count 100000 --size 60
 *     node test/support/live-frames.mjs veth0 --seconds 3
 *     node test/support/live-frames.mjs veth0 --count 100000 --prog /sys/fs/bpf/router --rate
 *
 * With --prog they go through that XDP program, as if they had arrived at the interface. Prints `ready:` on stderr before
 * the first frame, and how many were sent on stdout; with --rate how many a second, with --cpu-rate how many in a second of
 * CPU time, which other processes take nothing away from.
 */
import { parseArgs } from 'node:util';

import koffi from 'koffi';

import { fail, wholeNumber } from '../../bin/dev/frame-options.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    seconds: { type: 'string' },
    size: { type: 'string', default: '60' },
    batch: { type: 'string', default: '64' },
    prog: { type: 'string' },
    rate: { type: 'boolean', default: false },
    'cpu-rate': { type: 'boolean', default: false },
  },
});
const size = wholeNumber('size', values.size, 14, 3400);
const batch = wholeNumber('batch', values.batch, 1, 256);
const count = values.count === undefined ? Infinity : wholeNumber('count', values.count, 1, 100_000_000);
const milliseconds = values.seconds === undefined ? Infinity : Number(values.seconds) * 1000;

const libc = koffi.load('libc.so.6');
const libbpf = koffi.load('libbpf.so.1');
const ifNameToIndex = libc.func('if_nametoindex', 'uint', ['str']);
const progLoad = libbpf.func('bpf_prog_load', 'int', ['int', 'str', 'str', 'void *', 'size_t', 'void *']);
const pinGet = libbpf.func('bpf_obj_get', 'int', ['str']);
const testRun = libbpf.func('bpf_prog_test_run_opts', 'int', ['int', 'void *']);

const BPF_PROG_TYPE_XDP = 6;
const BPF_F_TEST_XDP_LIVE_FRAMES = 2;
/** Frames of the first call, which tells how fast they go. Each call costs some 20 ms in which nothing is sent. */
const FIRST_CALL = 65_536;
const MOST = 2 ** 31 - 1;

const ifindex = ifNameToIndex(positionals[0] ?? '');
if (ifindex === 0) fail(`no interface ${positionals[0]} in this network namespace`);

// r0 = XDP_TX; exit
const instructions = new Uint8Array([0xb7, 0, 0, 0, 3, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
const program =
  values.prog === undefined
    ? progLoad(BPF_PROG_TYPE_XDP, 'live_frames', 'GPL', instructions, 2, null)
    : pinGet(values.prog);
if (program < 0) fail(`the program cannot be had: errno ${-program}`);

const frame = Buffer.alloc(size);
frame.fill(0xff, 0, 6);
frame.set([2, 0, 0, 0, 0, 1], 6);
frame.writeUInt16BE(0x88b5, 12);
for (let at = 14; at < size; at += 1) frame[at] = at;

// struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
const context = Uint32Array.of(0, size, 0, ifindex, 0, 0);
// struct bpf_test_run_opts
const options = Buffer.alloc(80);
options.writeBigUInt64LE(80n, 0);
options.writeBigUInt64LE(koffi.address(frame), 8);
options.writeUInt32LE(size, 24);
options.writeBigUInt64LE(koffi.address(context), 32);
options.writeUInt32LE(context.byteLength, 48);
options.writeUInt32LE(BPF_F_TEST_XDP_LIVE_FRAMES, 68);
options.writeUInt32LE(batch, 76);

console.error('ready: sending');
const begin = performance.now();
const cpuBegin = process.cpuUsage();
let sent = 0;
for (;;) {
  const passed = performance.now() - begin;
  const left = Math.min(count - sent, sent === 0 ? FIRST_CALL : ((milliseconds - passed) * sent) / passed);
  if (left < 1 || passed >= milliseconds) break;
  const now = Math.min(MOST, Math.ceil(left));
  options.writeInt32LE(now, 60);
  const result = testRun(program, options);
  if (result < 0) fail(`bpf_prog_test_run_opts: errno ${-result} (${sent} frames sent)`);
  sent += now;
}
const { user, system } = process.cpuUsage(cpuBegin);
if (values['cpu-rate']) console.log(Math.round(sent / ((user + system) / 1e6)));
else console.log(values.rate ? Math.round(sent / ((performance.now() - begin) / 1000)) : sent);
