import { readFileSync } from 'node:fs';

/** Where bpffs is mounted by convention (systemd, bpftool, libbpf). */
export const BPFFS_STANDARD = '/sys/fs/bpf';

/** The mount points of bpffs that this process sees, the standard one first. */
export function bpffsMounts(): readonly string[] {
  return bpffsMountsIn(readFileSync('/proc/self/mounts', 'utf8'));
}

/** The same, from the text of /proc/self/mounts. */
export function bpffsMountsIn(text: string): readonly string[] {
  const mounts = text
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'bpf')
    .map(([, path]) => unescapeMount(path ?? ''));
  const unique = [...new Set(mounts)];
  return unique.toSorted((a, b) => Number(b === BPFFS_STANDARD) - Number(a === BPFFS_STANDARD));
}

/** Blanks and such stand as octal escapes in /proc/self/mounts (mangle_path, fs/seq_file.c). */
function unescapeMount(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
