import { errnosOf } from './errnos.ts';
import { type Call, callText } from './faulty-command.ts';
import { type Extent, extent, grouped, numberOf, SAMPLE } from './sample.ts';

/** A call, and the errno with which it fails. */
export interface TriedFault {
  readonly call: Call;
  readonly errno: number;
}

/** As often as this, and no more, a call is tried that is made again and again for the same purpose: a walk over many things. */
const MOST = 24;
/** The same for looks at other processes, of which a machine has hundreds. */
const MOST_AT_PROCESSES = 3;
/** And for kills before a look: it does not matter before which of them the last change was. */
const MOST_KILLS_AT_LOOKS = 3;

/**
 * The faults that a change meets. All of them: each call, at each position, and each errno that it can give the first time it is
 * made, one of them later. A sample: SAMPLE purposes, which are the same in every run whatever else the machine does.
 */
export function triedFaults(title: string, calls: readonly Call[]): readonly TriedFault[] {
  return triedCalls(title, calls).flatMap((call) => {
    const errnos = errnosOf(call);
    const at = extent === 'sample' ? numberOf(`errno of ${purposeOf(call)} in ${title}`) : call.nth - 1;
    const one = errnos[at % errnos.length];
    const tried = (extent === 'all' && call.nth === 1) || one === undefined ? errnos : [one];
    return tried.map((errno) => ({ call, errno }));
  });
}

/** The calls before which a change is killed. */
export function triedKills(title: string, calls: readonly Call[], how: Extent = extent): readonly Call[] {
  return triedCalls(title, calls, how, (purpose) => (isLook(purpose) ? MOST_KILLS_AT_LOOKS : MOST));
}

/** The calls of a change that fail. */
export function triedCalls(
  title: string,
  calls: readonly Call[],
  how: Extent = extent,
  most: (purpose: string) => number = mostOf,
): readonly Call[] {
  const purposes = grouped(calls, purposeOf);
  if (how !== 'sample') {
    const tried = new Set([...purposes].flatMap(([purpose, those]) => spread(those, most(purpose))));
    return calls.filter((call) => tried.has(call));
  }
  const number = (purpose: string): number => numberOf(`${purpose} in ${title}`);
  return [...purposes]
    .toSorted(([a], [b]) => number(a) - number(b))
    .slice(0, SAMPLE)
    .flatMap(([purpose, those]) => those[isWalk(purpose) ? 0 : number(purpose) % those.length] ?? []);
}

/** What a call is for: its text without the names that differ from run to run and from machine to machine. */
function purposeOf(call: Call): string {
  return callText(call)
    .replace(/ \S+\/bpf-objects\//, ' bpf-objects/')
    .replace(/\/run\/netns\/[^/]+/, '/run/netns/X')
    .replaceAll(/\/xt[a-z0-9]{12}(?:-\w+)?/g, '/X');
}

/** BPF commands that go from object to object, and what is asked of each object: PROG_GET_NEXT_ID, …, OBJ_GET_INFO_BY_FD. */
const walking = new Set([4, 11, 12, 13, 14, 15, 30, 31].map((command) => `bpf ${command}`));

/** Whether a call is made as often as the machine has something. */
function isWalk(purpose: string): boolean {
  return (
    walking.has(purpose) ||
    /^(?:recv|recvmsg|send|poll|ioctl|setns|setsockopt|socket)\b/.test(purpose) ||
    isOfOthers(purpose)
  );
}

function isLook(purpose: string): boolean {
  return isWalk(purpose) || /^(?:f?open|opendir|scandir|f?stat|lstat|f?statfs|readlink|access|read)\b/.test(purpose);
}

function isOfOthers(purpose: string): boolean {
  return /\/proc\/N\/|\/run\/netns\/X/.test(purpose);
}

function mostOf(purpose: string): number {
  return isOfOthers(purpose) ? MOST_AT_PROCESSES : MOST;
}

/** Some of a list, at even distances, the first and the last among them. */
function spread<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, index) => Math.round((index * (items.length - 1)) / (most - 1))).flatMap(
    (at) => items[at] ?? [],
  );
}
