import type { RedirectPath } from '../../domain/redirect-path.ts';
import { onlineCpuList } from '../../kernel/cpu.ts';
import { readInterface } from '../../kernel/interfaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import type { Context } from '../context.ts';
import { warnAboutTarget } from '../target-warning.ts';

/** Warns about every target of a path that cannot receive now, with the command that mends it. */
export async function warnAboutTargets({ device, mode, targets }: RedirectPath, context: Context): Promise<void> {
  if (targets.kind === 'devices') {
    const ingressMtu = mtuOf(device.ifindex);
    for (const { ifindex } of targets.entries) {
      await warnAboutTarget(context, ifindex, { mode, ...(ingressMtu !== undefined && { ingressMtu }) });
    }
  }
  if (targets.kind === 'cpus') {
    const online = onlineCpuList();
    for (const { key } of targets.entries) {
      if (online.includes(key)) continue;
      await context.warn({
        message: `CPU ${key} is offline: frames for it are lost`,
        hint: `echo 1 > /sys/devices/system/cpu/cpu${key}/online`,
      });
    }
  }
}

function mtuOf(ifindex: number): number | undefined {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return readInterface(ifindex, socket)?.mtu;
}
