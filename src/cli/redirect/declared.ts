import { planPath, type Step, stepTexts } from '../../domain/path-plan.ts';
import type { PathWish } from '../../domain/path-wish.ts';
import type { RedirectPath } from '../../domain/redirect-path.ts';
import { readInterfaces } from '../../kernel/interfaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import { readOccupant } from '../../kernel/occupant.ts';
import type { PathStore } from '../../kernel/path-store.ts';
import type { Outcome } from '../../output/outcome.ts';
import { printable } from '../../output/printable.ts';
import type { Context } from '../context.ts';
import { openInput, readText } from '../input-file.ts';
import { toToolError } from '../to-tool-error.ts';
import type { ArgumentSpec, OptionSpec } from '../verb.ts';
import { atPlace, parseRedirects } from './document.ts';
import { resolvePath } from './resolve-path.ts';

export const fileArgument: ArgumentSpec = { name: 'FILE', description: 'the document; - reads standard input' };

export const pruneOption: OptionSpec = {
  name: 'prune',
  description: 'also take away the paths of ours that the document does not name',
};

/** A path of a document with everything it names, and its place there. */
export interface DeclaredPath {
  readonly path: RedirectPath;
  readonly place: string;
}

/**
 * What has to be done for the paths of a document to be as it says, checked as a whole.
 *
 * @throws ToolError usage and not-found, with the place in the document; conflict for programs of others
 */
export function planDeclared(
  paths: readonly DeclaredPath[],
  store: PathStore,
  { prune }: { readonly prune: boolean },
): Step[] {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const interfaces = new Map(readInterfaces(socket).map((each) => [each.ifindex, each]));
  const steps: Step[] = paths.flatMap(({ path, place }) => {
    const there = readOccupant(store, path.device, interfaces.get(path.device.ifindex)?.xdp ?? []);
    return atPlace(place, () => planPath(path, there, 'own')) ?? [];
  });
  if (!prune) return steps;
  const named = new Set(paths.map(({ path }) => path.device.ifindex));
  const others = [...interfaces.values()].filter(({ ifindex }) => !named.has(ifindex));
  return [
    ...steps,
    ...others.flatMap(({ ifindex, name, xdp }): Step[] => {
      const device = { ifindex, ifname: name };
      const old = xdp.length === 0 ? undefined : readOccupant(store, device, xdp);
      return old?.own === undefined ? [] : [{ kind: 'detach', device, old }];
    }),
  ];
}

/** The paths of a document with everything they name. @throws ToolError with the place in the document */
export async function readDeclared(file: string, context: Context): Promise<readonly DeclaredPath[]> {
  const input = await openInput(file, context);
  const wishes = parseRedirects(await readText(input), input.name);
  const declared: DeclaredPath[] = [];
  for (const { wish, place } of wishes) declared.push({ place, path: await resolvedAt(place, wish, context) });
  return declared;
}

async function resolvedAt(place: string, wish: PathWish, context: Context): Promise<RedirectPath> {
  try {
    return await resolvePath(wish, context);
  } catch (error) {
    return atPlace(place, () => {
      throw toToolError(error);
    });
  }
}

interface ChangeRow {
  readonly ifname: string;
  readonly ifindex: number;
  readonly change: Step['kind'];
  /** Frames go to the stack for a moment. */
  readonly gap: boolean;
  readonly details: readonly string[];
}

/** Steps as rows: what would be done, or what was done. */
export function stepRows(steps: readonly Step[], nothing: string): Outcome {
  const list = steps.map((step): ChangeRow => {
    const { ifname, ifindex } = step.kind === 'detach' ? step.device : step.path.device;
    const gap = step.kind === 'replace' && step.gap;
    return { ifname, ifindex, change: step.kind, gap, details: stepTexts(step) };
  });
  if (list.length === 0) return { kind: 'report', data: [], text: `${nothing}\n` };
  return {
    kind: 'report',
    data: list,
    text: list.map(({ change, details }) => `${signs[change]} ${details.map(printable).join('\n  ')}\n`).join(''),
  };
}

/** As in a diff: made, removed, changed. */
const signs: Readonly<Record<Step['kind'], string>> = { attach: '+', detach: '-', replace: '~', update: '~' };
