import { counted } from '../../../output/reporter.ts';
import type { Warning } from '../../../output/reporter.ts';

type Reason = 'interface' | 'program' | 'unreadable';

/** Entries named in a warning; the others are counted. */
const NAMED = 10;

/** Entries that an export leaves out, because they cannot be replayed: none of them silently. */
export class Omissions {
  readonly #groups = new Map<Reason, { count: number; readonly keys: string[] }>();
  #reason: Reason = 'unreadable';
  #what = '';

  /** Why the entry that is being written cannot be. */
  because(reason: Reason, what: string): void {
    this.#reason = reason;
    this.#what = what;
  }

  /** Leaves out the entry with this key, for the last reason given. */
  leaveOut(key: string): void {
    let group = this.#groups.get(this.#reason);
    if (group === undefined) {
      group = { count: 0, keys: [] };
      this.#groups.set(this.#reason, group);
    }
    group.count += 1;
    if (group.keys.length < NAMED) group.keys.push(`${key} (${this.#what})`);
  }

  /** What the user must know about it, one warning for each reason. */
  warnings(): Warning[] {
    return Array.from(this.#groups, ([reason, { count, keys }]) => {
      const more = count > keys.length ? ` and ${count - keys.length} more` : '';
      const [why, hint] = reasons[reason];
      return {
        message: `${counted(count, 'entry is', 'entries are')} left out, because ${why}: key ${keys.join(', ')}${more}`,
        ...(hint !== undefined && { hint }),
      };
    });
  }
}

const reasons: Readonly<Record<Reason, readonly [why: string, hint?: string]>> = {
  interface: [
    'an interface is not in this network namespace',
    '--netns NAME exports from the namespace where the interfaces are',
  ],
  program: ['a program cannot be opened'],
  unreadable: ['the kernel does not let it be read'],
};
