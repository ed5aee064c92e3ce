import { ipText } from './ip-address.ts';

/** What the network namespace of a device looks like, as far as it matters for taking frames away from the stack. */
export interface Neighbourhood {
  readonly interfaces: readonly SafetyInterface[];
  readonly addresses: readonly SafetyAddress[];
  /** ifindexes that default routes lead through. */
  readonly defaultRoutes: ReadonlySet<number>;
}

export interface SafetyInterface {
  readonly ifindex: number;
  readonly name: string;
  /** rtnetlink's IFLA_INFO_KIND; absent for hardware and for lo. */
  readonly kind?: string;
  /** The lower device of a VLAN or macvlan; of a veth its peer. */
  readonly link?: { readonly ifindex: number; readonly netnsId?: number };
  /** The bridge or bond it is in. */
  readonly master?: number;
}

export interface SafetyAddress {
  readonly ifindex: number;
  readonly bytes: Uint8Array;
  readonly prefixLength: number;
  readonly linkLocal: boolean;
}

export interface AttachDangers {
  /** Why the caller may lose the connection to this host; attach refuses without --yes or --confirm. */
  readonly grave: readonly string[];
  /** What should be known. */
  readonly remarks: readonly string[];
}

/**
 * What may go wrong when a device's frames are redirected instead of going to the stack. The interfaces on top of the
 * device count as well: a bridge or bond it is in, VLANs and macvlans on it.
 *
 * @param sshAddress finds this host's address of the caller's SSH connection, in canonical form; called only where it matters
 */
export function attachDangers(
  ifindex: number,
  { interfaces, addresses, defaultRoutes }: Neighbourhood,
  sshAddress: () => string | undefined,
): AttachDangers {
  const fed = interfacesFedBy(ifindex, interfaces);
  const nameOf = new Map(interfaces.map((each) => [each.ifindex, each.name]));
  const itself = nameOf.get(ifindex) ?? `interface ${ifindex}`;
  const called = (index: number): string =>
    index === ifindex ? itself : `${nameOf.get(index) ?? `interface ${index}`}, which gets its frames by ${itself},`;
  // Link-local addresses are on every interface that has IPv6, and of no use to anybody far away.
  const theirs = addresses.filter((address) => fed.has(address.ifindex) && !address.linkLocal);
  const mine = theirs.length === 0 ? undefined : sshAddress();
  const ssh = mine === undefined ? undefined : theirs.find(({ bytes }) => ipText(bytes) === mine);
  return {
    grave: [
      ...[...fed]
        .filter((index) => defaultRoutes.has(index))
        .map((index) => `${called(index)} carries the default route`),
      ...(ssh === undefined ? [] : [`${called(ssh.ifindex)} has the address of your SSH connection, ${mine}`]),
    ],
    remarks: theirs.map(
      (address) =>
        `${called(address.ifindex)} has the address ${ipText(address.bytes)}/${address.prefixLength}: what is redirected no longer reaches it`,
    ),
  };
}

/** LOOPBACK_IFINDEX (include/net/flow.h). */
const LOOPBACK = 1;

/** Whether a device is a card, whose driver may set its rings up anew for the first program: virtual ones have a kind. */
export function isHardware(ifindex: number, interfaces: readonly SafetyInterface[]): boolean {
  return ifindex !== LOOPBACK && interfaces.some((each) => each.ifindex === ifindex && each.kind === undefined);
}

function interfacesFedBy(ifindex: number, interfaces: readonly SafetyInterface[]): ReadonlySet<number> {
  const fed = new Set([ifindex]);
  // A set that grows while it is walked is walked to its end.
  for (const lower of fed) {
    for (const { ifindex: upper, kind, link } of interfaces) {
      if (kind !== 'veth' && link?.ifindex === lower && link.netnsId === undefined) fed.add(upper);
    }
    const master = interfaces.find((each) => each.ifindex === lower)?.master;
    if (master !== undefined) fed.add(master);
  }
  return fed;
}
