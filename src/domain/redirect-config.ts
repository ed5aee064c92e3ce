import { littleEndian } from './byte-order.ts';

/** What a redirect program does with a frame whose key has no entry; the flags' two low bits of bpf_redirect_map. */
export const missActions = { aborted: 0, drop: 1, pass: 2, tx: 3 } as const;

export type MissAction = keyof typeof missActions;

/** By what a redirect program chooses the key: the ingress ifindex, the receive queue, or always the same number. */
export type KeySource = 'ingress' | 'queue' | { readonly fixed: number };

/** How a redirect program of bpf-objects/ behaves, fixed when it is loaded. */
export interface RedirectConfig {
  readonly onMiss: MissAction;
  readonly key: KeySource;
  /** To every target; a devmap or devmap_hash only. */
  readonly broadcast: boolean;
  /** With broadcast: not back to the interface the frame came from. */
  readonly excludeIngress: boolean;
}

/** BPF_F_BROADCAST and BPF_F_EXCLUDE_INGRESS (linux/bpf.h). */
const BPF_F_BROADCAST = 1 << 3;
const BPF_F_EXCLUDE_INGRESS = 1 << 4;

/** enum key_source of bpf-objects/redirect-by-key.h. */
const keySources = { ingress: 0, queue: 1, fixed: 2 } as const;

/** struct redirect_config of bpf-objects/redirect-by-key.h: u64 flags, u32 key_source, u32 fixed_key. */
export function encodeRedirectConfig(config: RedirectConfig): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const flags =
    missActions[config.onMiss] |
    (config.broadcast ? BPF_F_BROADCAST : 0) |
    (config.excludeIngress ? BPF_F_EXCLUDE_INGRESS : 0);
  view.setBigUint64(0, BigInt(flags), littleEndian);
  const { key } = config;
  view.setUint32(8, keySources[typeof key === 'string' ? key : 'fixed'], littleEndian);
  view.setUint32(12, typeof key === 'string' ? 0 : key.fixed, littleEndian);
  return bytes;
}

/** The configuration that a loaded program's read-only data says. */
export function decodeRedirectConfig(bytes: Uint8Array): RedirectConfig {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = Number(view.getBigUint64(0, littleEndian));
  const source = view.getUint32(8, littleEndian);
  const onMiss = (Object.keys(missActions) as MissAction[])[flags & 3] ?? 'aborted';
  return {
    onMiss,
    broadcast: (flags & BPF_F_BROADCAST) !== 0,
    excludeIngress: (flags & BPF_F_EXCLUDE_INGRESS) !== 0,
    key:
      source === keySources.ingress
        ? 'ingress'
        : source === keySources.queue
          ? 'queue'
          : { fixed: view.getUint32(12, littleEndian) },
  };
}
