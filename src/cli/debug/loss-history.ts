import type { Finding } from '../../domain/finding.ts';
import type { LossRow } from '../../output/loss-view.ts';

/** Intervals that are kept of each loss, and of all together. */
const LENGTH = 60;

interface Course {
  finding: Finding;
  count: number;
  rate: number;
  readonly history: number[];
}

/** How losses go from interval to interval. */
export class LossHistory {
  readonly #courses = new Map<string, Course>();
  readonly #totals: number[] = [];
  #dropped = 0;

  /** Adds what was lost in an interval. */
  add(findings: readonly Finding[], seconds: number): void {
    const now = new Map(findings.map((finding) => [identity(finding), finding]));
    for (const [key, finding] of now) {
      const known = this.#courses.get(key);
      if (known === undefined) this.#courses.set(key, { finding, count: 0, rate: 0, history: [] });
      else known.finding = finding;
    }
    let all = 0;
    for (const [key, course] of this.#courses) {
      const count = now.get(key)?.count ?? 0;
      course.count += count;
      course.rate = count / seconds;
      push(course.history, course.rate);
      all += count;
    }
    this.#dropped += all;
    push(this.#totals, all / seconds);
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Frames a second in the last interval. */
  get rate(): number {
    return this.#totals.at(-1) ?? 0;
  }

  /** Frames a second, interval by interval. */
  get history(): readonly number[] {
    return this.#totals;
  }

  /** Every loss so far, most frames first. */
  rows(): LossRow[] {
    return [...this.#courses.values()]
      .map(({ finding, count, rate, history }) => ({ finding: { ...finding, count }, rate, history }))
      .toSorted((a, b) => b.finding.count - a.finding.count);
  }

  /** Whether this loss has been seen before. */
  knows(finding: Finding): boolean {
    return this.#courses.has(identity(finding));
  }
}

/** What makes two findings one loss: cause and place, not how it is worded. */
function identity({ code, event, errno, from, to, prog, map, key, cpu }: Finding): string {
  const places = [from, to].flatMap((device) => [device?.ifindex, device?.netns]);
  return JSON.stringify([code, event, errno, ...places, prog?.id, map?.id, key, cpu]);
}

function push(list: number[], number: number): void {
  list.push(number);
  if (list.length > LENGTH) list.shift();
}
