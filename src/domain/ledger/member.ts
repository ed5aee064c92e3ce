import type { LiveDevice, LiveEntry, LiveMap, LiveSystem } from '../live-system.ts';

/** An entry of a devmap with the device that it leads to, as far as that is known. */
export interface Member {
  readonly entry: LiveEntry;
  readonly device: LiveDevice | undefined;
}

/** The devices of a map: an entry names one by its number alone, which mostly is of the namespace of the ingress device. */
export function membersOf({ entries = [] }: LiveMap, from: LiveDevice | undefined, { devices }: LiveSystem): Member[] {
  return entries.map((entry) => {
    const candidates = devices.filter(({ ifindex }) => ifindex === entry.ifindex);
    return { entry, device: candidates.find(({ netns }) => netns.inode === from?.netns.inode) ?? candidates[0] };
  });
}
