import { readdirSync } from 'node:fs';

import { KernelRefusal } from '../../domain/errors.ts';
import { bpffsMounts } from '../../kernel/bpffs-path.ts';
import { readInterfaces } from '../../kernel/interfaces.ts';
import { allMaps } from '../../kernel/map-list.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import { objectIds } from '../../kernel/object-ids.ts';
import { allPins } from '../../kernel/pins.ts';
import { allPrograms } from '../../kernel/program-list.ts';
import type { Outcome } from '../../output/outcome.ts';
import { printable } from '../../output/printable.ts';
import type { Verb } from '../verb.ts';

/** The verbs of the hidden object `__complete`, by which the scripts ask what the system has now. */
export const liveWords = {
  interfaces: liveWord('interfaces', interfaceNames),
  netns: liveWord('netns', () => readdirSync('/run/netns')),
  pins: liveWord('pins', pins),
  'map-ids': liveWord('map-ids', () => [...allMaps()].map(({ info }) => String(info.id))),
  'map-names': liveWord('map-names', () => [...allMaps()].map(({ info }) => info.name)),
  'program-ids': liveWord('program-ids', () => [...allPrograms()].map(({ info }) => String(info.id))),
  'link-ids': liveWord('link-ids', () => [...objectIds('link')].map(String)),
  'program-names': liveWord('program-names', () => [...allPrograms()].map(({ info }) => info.name)),
} as const satisfies Record<string, Verb>;

function liveWord(name: string, list: () => readonly string[]): Verb {
  return {
    object: '__complete',
    name,
    summary: `print ${name}, one a line, for completion`,
    synopsis: [''],
    examples: [],
    run: (): Outcome => ({ kind: 'text', text: lines(wordsOrNone(list)) }),
  };
}

/** Nobody wants to hear at a TAB that something is not there or not permitted. */
function wordsOrNone(list: () => readonly string[]): readonly string[] {
  try {
    return list();
  } catch (error) {
    if (error instanceof KernelRefusal || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Each word once, in order; names that a terminal does not simply show cannot be typed anyway. */
function lines(words: readonly string[]): string {
  const useful = words.filter((word) => word !== '' && printable(word) === word);
  return [...new Set(useful)].map((word) => `${word}\n`).join('');
}

function interfaceNames(): readonly string[] {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return readInterfaces(socket).map(({ name }) => name);
}

/** Pins as they are typed: those directly under the mount by their name. */
function pins(): readonly string[] {
  const paths = Object.values(allPins())
    .flatMap((pinned) => [...pinned.values()].flat())
    .toSorted();
  const [mount = ''] = bpffsMounts();
  return paths.map((path) => {
    const name = path.startsWith(`${mount}/`) ? path.slice(mount.length + 1) : path;
    return name.includes('/') ? path : name;
  });
}
