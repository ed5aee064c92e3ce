/**
 * Map entries that lie one after another in two buffers, which are reused: a chunk is valid until the next is asked for.
 */
export interface EntryChunk {
  readonly count: number;
  /** count x key size bytes. */
  readonly keys: Uint8Array;
  /** count x value length bytes. */
  readonly values: Uint8Array;
  /** For each entry 0, or the errno with which its slot could not be read; absent when all could. */
  readonly errnos?: Uint16Array;
}
