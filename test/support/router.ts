import { setTimeout as sleep } from 'node:timers/promises';

import type { CommandResult } from './command.ts';
import { type FrameOptions, sendFrames } from './frames.ts';
import { runHere } from './run-here.ts';
import { slowness } from './slowness.ts';
import { inNamespace, tool, toolJson } from './tool.ts';
import { counters, createWorld, type End, type World } from './world.ts';

/** How many frames arrived at each of the hosts that were asked about. */
export type Arrivals = Partial<Record<'left' | 'right' | 'other', number>>;

export interface Sending extends FrameOptions {
  /** Where from; from left when absent. */
  readonly from?: End;
}

/**
 * A router with three cables, each to a host in a namespace of its own. Frames can be redirected to every one of its ends.
 *
 *     left ── a │ b ── right
 *               │ c ── other
 */
export class Router implements Disposable {
  readonly world: World;
  /** Name of the router's namespace. */
  readonly netns: string;
  readonly a: End;
  readonly b: End;
  readonly c: End;
  readonly left: End;
  readonly right: End;
  readonly other: End;

  constructor() {
    this.world = createWorld();
    try {
      this.netns = this.world.namespace();
      [this.a, this.left] = this.#cable();
      [this.b, this.right] = this.#cable();
      [this.c, this.other] = this.#cable();
    } catch (error) {
      this.world[Symbol.dispose]();
      throw error;
    }
  }

  /** The end at the router, and the one at the host, which polls with NAPI so that frames can be redirected to it. */
  #cable(): [End, End] {
    const { a, b } = this.world.veth({ namespace: this.netns }, { namespace: this.world.namespace(), gro: true });
    return [a, b];
  }

  /** Runs `xdpctl -j redirect …` in the router. */
  redirect(...words: readonly string[]): Promise<CommandResult> {
    return runHere('-j', '--netns', this.netns, 'redirect', ...words);
  }

  /** The same for commands that are to succeed without a remark. @returns what they print */
  async done(...words: readonly string[]): Promise<unknown> {
    const { status, stdout, stderr } = await this.redirect(...words);
    if (status !== 0 || stderr !== '') throw new Error(`redirect ${words.join(' ')}: exit ${status}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** The same for commands that are to fail. @returns the error */
  async refused(...words: readonly string[]): Promise<{ exit: number; message: string; hint?: string }> {
    const result = await this.redirect(...words);
    const { error } = (result.jsonErrors().at(-1) ?? {}) as {
      error?: { exit: number; message: string; hint?: string };
    };
    if (error === undefined || error.exit !== result.status || result.stdout !== '') {
      throw new Error(`redirect ${words.join(' ')} was not refused as it should be: ${result.stdout}${result.stderr}`);
    }
    return error;
  }

  /** Runs a tool in the router; unlike `ip -n` it still sees the pins. */
  tool(...words: string[]): string {
    const [program = '', ...others] = inNamespace(this.netns, words);
    return tool(program, others);
  }

  /** Takes off whatever is attached to the ends of the router. */
  async clear(): Promise<void> {
    for (const { name } of [this.a, this.b, this.c]) {
      const id = this.attached(name)?.id;
      if (id !== undefined) await this.done('detach', name, '--force', String(id));
    }
  }

  /** What bpftool says is attached. */
  attached(name: string): { mode: string; id: number } | undefined {
    const shown = JSON.parse(this.tool('bpftool', '-j', 'net', 'show', 'dev', name));
    const [{ xdp }] = shown as [{ xdp: { mode: string; id: number }[] }];
    return xdp.map(({ mode, id }) => ({ mode, id }))[0];
  }

  /** The programs, maps and links of this kernel by id, as bpftool sees them. */
  static objects(kind: 'prog' | 'map' | 'link'): { id: number }[] {
    return toolJson('bpftool', ['-j', kind, 'show']) as { id: number }[];
  }

  /**
   * Sends frames and tells how many arrived where: waits until as many as are expected have, and a little longer, so that
   * too many are seen as well.
   */
  async arrivals(expected: Arrivals, options: Sending): Promise<Arrivals> {
    const places = Object.keys(expected) as (keyof typeof expected)[];
    const before = places.map((place) => counters(this[place]).received);
    sendFrames(options.from ?? this.left, options);
    const now = (): Record<string, number> =>
      Object.fromEntries(places.map((place, index) => [place, counters(this[place]).received - (before[index] ?? 0)]));
    for (const end = Date.now() + 3000 * slowness; Date.now() < end;) {
      const so = now();
      if (places.every((place) => (so[place] ?? 0) >= (expected[place] ?? 0))) break;
      await sleep(5);
    }
    await sleep(30 * slowness);
    return now();
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
  }
}
