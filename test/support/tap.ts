import { libc } from '../../src/ffi/libc.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { fixtureName } from './run-id.ts';
import { tool, toolJson } from './tool.ts';

const O_RDWR = 2;
const O_CLOEXEC = 0x8_0000;
/** TUNSETIFF, IFF_TAP and IFF_NO_PI (linux/if_tun.h). */
const TUNSETIFF = 0x4004_54ca;
const IFF_TAP = 2;
const IFF_NO_PI = 0x1000;

/** A tap device with its one queue open, of which nobody reads. */
export interface Tap extends Disposable {
  readonly name: string;
  readonly ifindex: number;
  /** From now on nobody has the device open. */
  closeQueue(): void;
}

/**
 * Makes a tap device that stays without anybody who has it open, and opens it.
 *
 * @param options.queueLength frames that it holds; 1000 when absent
 */
export function openTap(namespace: string, options: { readonly queueLength?: number } = {}): Tap {
  const name = fixtureName();
  tool('ip', ['-n', namespace, 'tuntap', 'add', 'dev', name, 'mode', 'tap']);
  const length = options.queueLength === undefined ? [] : ['txqueuelen', String(options.queueLength)];
  tool('ip', ['-n', namespace, 'link', 'set', 'dev', name, ...length, 'addrgenmode', 'none', 'up']);
  const [link] = toolJson('ip', ['-n', namespace, '-j', 'link', 'show', 'dev', name]) as { ifindex: number }[];
  let fd = inNetns(namespace, () => libc.open('/dev/net/tun', O_RDWR | O_CLOEXEC, 0));
  const request = new Uint8Array(40);
  request.set(new TextEncoder().encode(name));
  new DataView(request.buffer).setUint16(16, IFF_TAP | IFF_NO_PI, true);
  if (fd < 0 || libc.ioctl(fd, TUNSETIFF, request) !== 0) throw new Error(`cannot open the tap device ${name}`);
  const closeQueue = (): void => {
    if (fd >= 0) libc.close(fd);
    fd = -1;
  };
  return { name, ifindex: link?.ifindex ?? 0, closeQueue, [Symbol.dispose]: closeQueue };
}
