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
  return {
    onMiss: missActionOf(flags),
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

/** The action on a miss that the flags of bpf_redirect_map say. */
function missActionOf(flags: number): MissAction {
  return (Object.keys(missActions) as MissAction[])[flags & 3] ?? 'aborted';
}

/** How many CPUs frames can be spread over (MAX_CPUS of bpf-objects/redirect_cpumap.bpf.c). */
export const MAX_SPREAD_CPUS = 1024;

/** The read-only data of redirect_cpumap.bpf.c: u64 flags, u32 cpu_count, u32 reserved, u32 cpus[MAX_CPUS]. */
export interface CpumapConfig {
  readonly onMiss: MissAction;
  /** 1 to MAX_SPREAD_CPUS, in the order in which flows are spread over them. */
  readonly cpus: readonly number[];
}

export function encodeCpumapConfig({ onMiss, cpus }: CpumapConfig): Uint8Array {
  const bytes = new Uint8Array(16 + 4 * MAX_SPREAD_CPUS);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(missActions[onMiss]), littleEndian);
  view.setUint32(8, cpus.length, littleEndian);
  cpus.forEach((cpu, index) => {
    view.setUint32(16 + 4 * index, cpu, littleEndian);
  });
  return bytes;
}

/** The reverse. A program that only has the name and the shape of ours may say that there are more CPUs than fit. */
export function decodeCpumapConfig(bytes: Uint8Array): CpumapConfig {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.min(view.getUint32(8, littleEndian), (bytes.byteLength - 16) >> 2);
  return {
    onMiss: missActionOf(Number(view.getBigUint64(0, littleEndian))),
    cpus: Array.from({ length: count }, (_, index) => view.getUint32(16 + 4 * index, littleEndian)),
  };
}

/** What a program of bpf-objects/ in a map entry does with a frame, besides counting it. */
export interface EgressConfig {
  readonly action: 'pass' | 'drop';
  /** Devmaps only: MAC addresses to write, as `02:00:00:00:00:01`. */
  readonly dstMac?: string;
  readonly srcMac?: string;
}

/**
 * The read-only data of egress_devmap.bpf.c (u32 action, u8 set_dst, u8 set_src, u8 dst_mac[6], u8 src_mac[6], 2 bytes
 * of padding) or of egress_cpumap.bpf.c (u32 action).
 */
export function encodeEgressConfig({ action, dstMac, srcMac }: EgressConfig, kind: 'devmap' | 'cpumap'): Uint8Array {
  const bytes = new Uint8Array(kind === 'devmap' ? 20 : 4);
  new DataView(bytes.buffer).setUint32(0, missActions[action], littleEndian);
  if (dstMac !== undefined) writeMac(bytes, dstMac, { flag: 4, at: 6 });
  if (srcMac !== undefined) writeMac(bytes, srcMac, { flag: 5, at: 12 });
  return bytes;
}

/** The reverse of encodeEgressConfig; the kind of map follows from the length. */
export function decodeEgressConfig(bytes: Uint8Array): EgressConfig {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [dstMac, srcMac] = [readMac(bytes, { flag: 4, at: 6 }), readMac(bytes, { flag: 5, at: 12 })];
  return {
    action: view.getUint32(0, littleEndian) === missActions.drop ? 'drop' : 'pass',
    ...(dstMac !== undefined && { dstMac }),
    ...(srcMac !== undefined && { srcMac }),
  };
}

interface MacPlace {
  /** Offset of the byte that says whether the address is meant. */
  readonly flag: number;
  readonly at: number;
}

function writeMac(bytes: Uint8Array, mac: string, { flag, at }: MacPlace): void {
  bytes.set([1], flag);
  bytes.set(
    mac.split(':').map((word) => Number.parseInt(word, 16)),
    at,
  );
}

function readMac(bytes: Uint8Array, { flag, at }: MacPlace): string | undefined {
  if ((bytes[flag] ?? 0) === 0) return undefined;
  return Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
