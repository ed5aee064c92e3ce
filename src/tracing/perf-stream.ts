/*
 * The stream that `perf record -o -` writes (tools/perf/Documentation/perf.data-file-format.txt, "pipe-mode data"):
 * a 16-byte header, then records of the perf ABI (include/uapi/linux/perf_event.h) and some of perf's own, all in host
 * byte order. Reading it here instead of `perf script`'s text costs a tenth of the time, and shows events as soon as
 * they are written.
 */

import { littleEndian } from '../domain/byte-order.ts';

/** "PERFILE2" as a little-endian 64-bit number begins the stream. */
const magic = 'PERFILE2';
const streamHeaderSize = 16;
/** struct perf_event_header: u32 type, u16 misc, u16 size. */
const recordHeaderSize = 8;

/** enum perf_event_type. */
const recordLost = 2;
const recordSample = 9;
const recordLostSamples = 13;
/** perf's own records (tools/lib/perf/include/perf/event.h). */
const recordAttribute = 64;
const recordTracingData = 66;

/** Offset of sample_type in struct perf_event_attr. */
const attributeSampleType = 24;

/** enum perf_event_sample_format. */
const sampleFormat = {
  ip: 1,
  tid: 2,
  time: 4,
  addr: 8,
  read: 16,
  callchain: 32,
  id: 64,
  cpu: 128,
  period: 256,
  stream: 512,
  raw: 1024,
};
const sampleIdentifier = 65_536;

/** A stream that is not perf's, or of a kind that this reader does not know. */
export class PerfStreamError extends Error {
  override readonly name = 'PerfStreamError';
}

export interface PerfStreamHandler {
  /** A tracepoint's record, as its format describes it. The view is only good during the call. */
  sample(record: DataView): void;
  /** Events that the kernel could not put into perf's buffer. */
  lost(count: number, from: 'kernel' | 'perf'): void;
}

/**
 * Reads a perf stream in whatever pieces it comes.
 *
 * @throws PerfStreamError when the stream is not one that this reader knows
 */
export class PerfStreamReader {
  readonly #handler: PerfStreamHandler;
  #rest = new Uint8Array(0);
  #begun = false;
  /** Bytes to leave out before the next record. */
  #skip = 0;
  #rawOffset: number | undefined;
  #sampleType: number | undefined;

  constructor(handler: PerfStreamHandler) {
    this.#handler = handler;
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : concatenate(this.#rest, chunk);
    const end = this.#read(bytes);
    this.#rest = bytes.slice(end);
  }

  /** @returns where the first incomplete record begins */
  #read(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    if (!this.#begun) {
      if (bytes.length < streamHeaderSize) return 0;
      at = readStreamHeader(bytes, view);
      this.#begun = true;
    }
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (bytes.length - at < recordHeaderSize) return at;
      const type = view.getUint32(at, littleEndian);
      const size = view.getUint16(at + 6, littleEndian);
      if (size < recordHeaderSize) throw new PerfStreamError(`perf wrote a record of ${size} bytes`);
      if (bytes.length - at < size) return at;
      this.#record(type, new DataView(view.buffer, view.byteOffset + at, size));
      at += size;
    }
  }

  #record(type: number, record: DataView): void {
    switch (type) {
      case recordSample:
        this.#handler.sample(this.#rawData(record));
        return;
      case recordLost:
        // struct { header; u64 id; u64 lost; … }
        needs(record, recordHeaderSize + 16);
        this.#handler.lost(Number(record.getBigUint64(recordHeaderSize + 8, littleEndian)), 'kernel');
        return;
      case recordLostSamples:
        needs(record, recordHeaderSize + 8);
        this.#handler.lost(Number(record.getBigUint64(recordHeaderSize, littleEndian)), 'perf');
        return;
      case recordAttribute:
        this.#attribute(record);
        return;
      case recordTracingData:
        // Its size covers the header only: `size` bytes of tracing data follow, padded to 8.
        needs(record, recordHeaderSize + 4);
        this.#skip = 8 * Math.ceil(record.getUint32(recordHeaderSize, littleEndian) / 8);
        return;
      default:
    }
  }

  #attribute(record: DataView): void {
    const attribute = recordHeaderSize;
    needs(record, attribute + attributeSampleType + 8);
    if (record.getUint32(attribute, littleEndian) !== perfTypeTracepoint) return;
    const sampleType = Number(record.getBigUint64(attribute + attributeSampleType, littleEndian));
    if (this.#sampleType !== undefined && this.#sampleType !== sampleType) {
      throw new PerfStreamError('perf records its events in different layouts');
    }
    this.#sampleType = sampleType;
    this.#rawOffset = rawDataOffset(sampleType);
  }

  #rawData(record: DataView): DataView {
    const offset = this.#rawOffset;
    if (offset === undefined) throw new PerfStreamError('perf wrote a sample before it described the layout');
    needs(record, offset + 4);
    const size = record.getUint32(offset, littleEndian);
    needs(record, offset + 4 + size);
    return new DataView(record.buffer, record.byteOffset + offset + 4, size);
  }
}

/** @throws PerfStreamError for a record that ends before it has said what it says */
function needs(record: DataView, size: number): void {
  if (record.byteLength < size) throw new PerfStreamError(`perf wrote a record of ${record.byteLength} bytes`);
}

/** PERF_TYPE_TRACEPOINT. */
const perfTypeTracepoint = 2;

function readStreamHeader(bytes: Uint8Array, view: DataView): number {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 8));
  if (text !== magic) throw new PerfStreamError('this is not the output of perf record');
  const size = view.getBigUint64(8, littleEndian);
  if (size !== BigInt(streamHeaderSize)) throw new PerfStreamError(`perf wrote a header of ${size} bytes`);
  return streamHeaderSize;
}

/** Where the u32 size of the raw data stands in a sample, by the order that perf_event.h documents. */
function rawDataOffset(sampleType: number): number {
  const { raw, read, callchain, tid, cpu, ip, time, addr, id, stream, period } = sampleFormat;
  if ((sampleType & raw) === 0) throw new PerfStreamError('perf records no raw data');
  if ((sampleType & (read | callchain)) !== 0) throw new PerfStreamError('perf records samples of varying length');
  // pid and tid, and cpu with its padding, are 8 bytes together: every part before the raw data is.
  const parts = [sampleIdentifier, ip, tid, time, addr, id, stream, cpu, period].filter(
    (part) => (sampleType & part) !== 0,
  );
  return recordHeaderSize + 8 * parts.length;
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
