/** A block of a pcapng file: its type, and what stands between its two lengths. */
export interface PcapngBlock {
  readonly type: number;
  readonly body: DataView;
}

export interface PcapngPacket {
  /** Microseconds since 1970. */
  readonly time: number;
  readonly frame: Uint8Array;
}

export interface PcapngFile {
  readonly interface: Readonly<Record<number, Uint8Array>>;
  readonly packets: readonly PcapngPacket[];
  /** Options of the interface statistics block; undefined where there is none. */
  readonly statistics: Readonly<Record<number, Uint8Array>> | undefined;
}

/**
 * Reads a little-endian pcapng file with one interface, written down a second time independently of the writer.
 *
 * @throws Error for anything that is not as the format says
 */
export function readPcapng(bytes: Uint8Array): PcapngFile {
  const blocks = readBlocks(bytes);
  const [section, description, ...others] = blocks;
  if (section?.type !== 0x0a0d_0d0a || section.body.getUint32(0, true) !== 0x1a2b_3c4d) throw new Error('no section');
  if (description?.type !== 1 || description.body.getUint16(0, true) !== 1) throw new Error('no Ethernet interface');
  const last = others.at(-1);
  return {
    interface: readOptions(description.body, 8),
    packets: others.filter(({ type }) => type === 6).map(({ body }) => readPacket(body)),
    statistics: last?.type === 5 ? readOptions(last.body, 12) : undefined,
  };
}

export function readBlocks(bytes: Uint8Array): PcapngBlock[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: PcapngBlock[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint32(at + 4, true);
    if (length % 4 !== 0 || at + length > bytes.length) throw new Error(`a block of ${length} bytes at ${at}`);
    if (view.getUint32(at + length - 4, true) !== length) throw new Error(`two lengths of the block at ${at}`);
    blocks.push({
      type: view.getUint32(at, true),
      body: new DataView(bytes.buffer, bytes.byteOffset + at + 8, length - 12),
    });
    at += length;
  }
  return blocks;
}

function readPacket(body: DataView): PcapngPacket {
  const captured = body.getUint32(12, true);
  if (body.getUint32(0, true) !== 0 || body.getUint32(16, true) !== captured) throw new Error('a packet cut short');
  for (let at = 20 + captured; at < body.byteLength; at += 1) {
    if (body.getUint8(at) !== 0) throw new Error('padding that is not zero');
  }
  return {
    time: body.getUint32(4, true) * 2 ** 32 + body.getUint32(8, true),
    frame: new Uint8Array(body.buffer, body.byteOffset + 20, captured),
  };
}

function readOptions(body: DataView, from: number): Record<number, Uint8Array> {
  const options: Record<number, Uint8Array> = {};
  for (let at = from; ;) {
    const code = body.getUint16(at, true);
    const length = body.getUint16(at + 2, true);
    if (code === 0) return options;
    options[code] = new Uint8Array(body.buffer, body.byteOffset + at + 4, length);
    at += 4 + Math.ceil(length / 4) * 4;
  }
}
