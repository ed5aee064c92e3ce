import { readFileSync } from 'node:fs';

import { expect } from 'vitest';

import { BpfMap } from '../../src/kernel/map.ts';
import { pinObject } from '../../src/kernel/pin.ts';
import { XskmapReader } from '../../src/kernel/xskmap-reader.ts';
import { type CommandOptions, type CommandResult, PinFolder, type RunningCommand, startXdpctl } from './command.ts';
import { toolJson } from './tool.ts';
import type { End, Pair, World } from './world.ts';

export interface Loss {
  readonly code: string;
  readonly count: number;
  readonly fix: string;
}

/** What `xsk bind -j` prints when it ends. */
export interface BindSummary {
  readonly map: { readonly id: number; readonly key: number };
  readonly prog?: { readonly id: number; readonly redirected: number; readonly missed: number };
  readonly frames: number;
  readonly bytes: number;
  readonly unread: number;
  readonly sent?: number;
  readonly written?: number;
  readonly losses: readonly Loss[];
  readonly statistics: Readonly<Record<string, number>>;
}

/** A pair in one namespace: frames are sent from `b`, and arrive at `a`. */
export function pairIn(world: World, mtu = 1500): Pair {
  const namespace = world.namespace();
  return world.veth({ namespace, mtu }, { namespace, mtu });
}

/** The words of `xsk bind` of queue 0. */
export function bindWords({ name, namespace = '' }: End, ...words: string[]): string[] {
  return ['--netns', namespace, 'xsk', 'bind', name, '--queue', '0', ...words];
}

/** Starts `xsk bind -j` of queue 0 and waits until it is ready. */
export function bound(end: End, ...words: string[]): Promise<RunningCommand> {
  return ready(['-j', ...bindWords(end, ...words)]);
}

/** Starts a command and waits until it is ready. */
export async function ready(words: readonly string[], options: CommandOptions = {}): Promise<RunningCommand> {
  const command = startXdpctl(words, options);
  await command.ready();
  return command;
}

/** The summary of a command that ended well; with --interval the last line is one. */
export function summaryOf(result: CommandResult): BindSummary {
  expect(result).toMatchObject({ status: 0, signal: null });
  return result.jsonLines().at(-1) as BindSummary;
}

/** Every frame that came by the program: taken, left unread, or lost for a reason. */
export function accounted({ frames, unread, losses }: BindSummary): number {
  return losses.reduce((sum, { count }) => sum + count, frames + unread);
}

/** Stops a process and waits until it does not run any more. */
export async function holdStill({ child }: RunningCommand): Promise<void> {
  child.kill('SIGSTOP');
  await expect.poll(() => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[2]).toBe('T');
}

/** What `ip` says of the XDP program of an interface; undefined when there is none. */
export function xdpProgramOf({ name, namespace = '' }: End): unknown {
  const [link] = toolJson('ip', ['-n', namespace, '-j', 'link', 'show', 'dev', name]) as { xdp?: unknown }[];
  return link?.xdp;
}

/** A pinned XSKMAP of four slots that this process holds open too. */
export class PinnedXskmap implements Disposable {
  readonly #folder = new PinFolder();
  readonly path = this.#folder.pin('sockets');
  readonly map = BpfMap.create({
    type: 17,
    name: 'sockets',
    keySize: 4,
    valueSize: 4,
    maxEntries: 4,
    flags: 0,
  });

  constructor() {
    pinObject(this.map.fd, this.path);
  }

  get occupied(): number[] {
    using reader = new XskmapReader(this.map);
    return [...reader.entries()].map(({ key }) => key);
  }

  [Symbol.dispose](): void {
    this.map[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}
