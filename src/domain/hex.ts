const words = Array.from({ length: 256 }, (_, byte) => `0x${byte.toString(16).padStart(2, '0')}`);

/** Bytes as bpftool's JSON shows them: `["0x00","0xff"]`. */
export function hexWords(bytes: Uint8Array): string[] {
  const list: string[] = [];
  // Called for every entry of a map: a mapper would double the time.
  for (let index = 0; index < bytes.length; index += 1) list.push(words[bytes[index] as number] as string);
  return list;
}

/** Bytes as people read them: `00 ff`. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
