import { readFileSync } from 'node:fs';

import { type AttachDangers, attachDangers, isHardware, type Neighbourhood } from '../../domain/attach-safety.ts';
import { ToolError } from '../../domain/errors.ts';
import { canonicalIp } from '../../domain/ip-address.ts';
import type { Step } from '../../domain/path-plan.ts';
import { readAddresses } from '../../kernel/addresses.ts';
import { readDefaultRoutes } from '../../kernel/default-routes.ts';
import { readInterfaces } from '../../kernel/interfaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import type { Context } from '../context.ts';

/**
 * Refuses to take frames away from a device by which the caller may be connected, and warns about those whose addresses
 * are in use.
 *
 * @param sure whether the user has said so (--yes), or can take it back (--confirm)
 * @throws ToolError refused
 */
export async function checkSafety(steps: readonly Step[], sure: boolean, context: Context): Promise<void> {
  const paths = steps.flatMap((step) => (step.kind === 'attach' || step.kind === 'replace' ? [step] : []));
  if (paths.length === 0) return;
  const around = neighbourhood();
  const ssh = (): string | undefined => sshAddress(context.env);
  for (const step of paths) {
    const { ifindex, ifname } = step.path.device;
    const { grave, remarks }: AttachDangers = attachDangers(ifindex, around, ssh);
    const [worst] = grave;
    if (worst !== undefined && !sure) {
      throw new ToolError('refused', `${worst}: redirecting what arrives at ${ifname} may cut you off`, {
        hint: 'add --confirm 60s, which takes it back unless you confirm it, or --yes',
      });
    }
    for (const message of remarks) await context.warn({ message });
    if (step.kind === 'attach' && step.path.mode === 'native' && isHardware(ifindex, around.interfaces)) {
      await context.warn({
        message: `${ifname} is hardware: with the first native program its driver may set the rings up anew, which stops traffic for a moment`,
      });
    }
    if (step.kind === 'replace' && step.gap) {
      await context.warn({
        message: `${ifname}: the kernel cannot put this program in the place of the old one in one step; in between frames go to the stack`,
      });
    }
  }
}

/** The current network namespace, as far as it matters for taking frames away from the stack. */
export function neighbourhood(): Neighbourhood {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return {
    interfaces: readInterfaces(socket),
    addresses: readAddresses(socket),
    defaultRoutes: readDefaultRoutes(socket),
  };
}

/**
 * This host's address of the SSH connection that the caller came by. sudo takes the variable away, so it is looked for in
 * the environments of the processes above as well.
 */
export function sshAddress(env: Context['env']): string | undefined {
  const connection = env['SSH_CONNECTION'] ?? inheritedVariable('SSH_CONNECTION');
  const address = connection?.split(' ')[2];
  return address === undefined ? undefined : canonicalIp(address);
}

/** No chain of processes is longer. */
const GENERATIONS = 32;

function inheritedVariable(name: string): string | undefined {
  let pid = process.ppid;
  for (let generation = 0; generation < GENERATIONS && pid > 1; generation += 1) {
    const [environment, status] = [readProc(pid, 'environ'), readProc(pid, 'status')];
    const entry = environment?.split('\0').find((each) => each.startsWith(`${name}=`));
    if (entry !== undefined) return entry.slice(name.length + 1);
    pid = Number(/^PPid:\s*(\d+)$/m.exec(status ?? '')?.[1] ?? 0);
  }
  return undefined;
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}
