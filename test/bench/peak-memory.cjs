'use strict';
/** Loaded with --require: writes VmHWM, the process's peak resident memory in KiB, to the file $XDPCTL_BENCH_PEAK when it exits. */
const { readFileSync, writeFileSync } = require('node:fs');

process.on('exit', () => {
  const [, kib] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  writeFileSync(process.env.XDPCTL_BENCH_PEAK, kib);
});
