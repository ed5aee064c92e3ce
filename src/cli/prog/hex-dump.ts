const WIDTH = 16;

/** Bytes for people: 16 a line, with their offset before and as text behind. */
export function hexDump(bytes: Uint8Array): string {
  let text = '';
  for (let offset = 0; offset < bytes.length; offset += WIDTH) {
    const line = [...bytes.subarray(offset, offset + WIDTH)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const plain = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    text += `${offset.toString(16).padStart(4, '0')}  ${hex.padEnd(3 * WIDTH - 1)}  ${plain}\n`;
  }
  return text;
}
