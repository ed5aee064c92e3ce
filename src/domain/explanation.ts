import type { ErrorKind, Hint, KernelRefusal } from './errors.ts';

/** What `explain` makes of a refused call. */
export interface Explanation {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: Hint;
}

/** What explains a refusal besides the call itself. */
export interface Surroundings {
  /** Effective capabilities that matter for BPF; undefined when they cannot be read. */
  readonly capabilities: ReadonlySet<string> | undefined;
  /** In a user namespace of its own, as in a container without root: what capabilities it has there count only there. */
  readonly ownUserNamespace?: boolean;
  /** e.g. `6.1.0-44-amd64`. */
  readonly kernelRelease: string;
}

/** The map, as it stands in a sentence: `devmap 12`. */
export function subject(refusal: KernelRefusal): string {
  const { facts } = refusal;
  return `${mapWord(refusal)}${facts['mapId'] === undefined ? '' : ` ${String(facts['mapId'])}`}`;
}

/** The type of the map, where it is known. */
export function mapWord({ facts }: KernelRefusal): string {
  return String(facts['mapType'] ?? 'map');
}

/** What the operation was about, where that is known. */
export function tail({ facts }: KernelRefusal): string {
  const what = facts['path'] ?? facts['ifname'] ?? facts['id'] ?? facts['mapId'];
  return what === undefined ? '' : ` ${String(what)}`;
}
