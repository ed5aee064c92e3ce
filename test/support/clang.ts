import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tool } from './tool.ts';

/**
 * Compiles BPF programs as users do, with clang, BTF and libbpf's headers.
 *
 * @param source C without the two includes and the license
 * @returns the path of the object, in the folder
 */
export function compileBpf(folder: string, name: string, source: string): string {
  const [input, output] = [join(folder, `${name}.bpf.c`), join(folder, `${name}.bpf.o`)];
  const text = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
${source}
char LICENSE[] SEC("license") = "GPL";
`;
  writeFileSync(input, text);
  // On multiarch systems asm/types.h lies in a folder of its own.
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  tool('clang-14', ['-O2', '-g', '-target', 'bpf', `-I/usr/include/${machine}-linux-gnu`, '-c', input, '-o', output]);
  return output;
}
