import * as z from 'zod/mini';

import { ToolError, usageError } from '../../domain/errors.ts';
import { DOCUMENT_VERSION } from '../../domain/path-document.ts';
import { asKey, checkWish, type PathWish } from '../../domain/path-wish.ts';
import { type MissAction, missActions } from '../../domain/redirect-config.ts';
import type { Typed } from '../../domain/typed-command.ts';

/** A path of a document, with its place for messages: `redirects[2]`. */
export interface PlacedWish {
  readonly wish: PathWish;
  readonly place: string;
}

/**
 * The paths of a document.
 *
 * @param name what the text came from, for messages
 * @throws ToolError usage for a text that is no document, with the place of the first error
 */
export function parseRedirects(text: string, name: string): readonly PlacedWish[] {
  const result = schema().safeParse(parseJson(text, name));
  if (!result.success) throw usageError(`${name}: ${problem(result.error)}`);
  const placed = result.data.redirects.map((wish, index) => ({ wish, place: `${name}: redirects[${index}]` }));
  const seen = new Map<string, string>();
  for (const { wish, place } of placed) {
    atPlace(place, () => checkWish(wish, asKey));
    const before = seen.get(wish.dev);
    if (before !== undefined) throw usageError(`${place}: ${wish.dev} is in ${before} already`);
    seen.set(wish.dev, place.slice(name.length + 2));
  }
  return placed;
}

/** Adds the place to whatever is wrong there. */
export function atPlace<Result>(place: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw error.reworded(`${place}: ${error.message}`);
  }
}

function parseJson(text: string, name: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw usageError(`${name} is no JSON document: ${(error as Error).message}`, seeExport);
  }
  const version = typeof json === 'object' && json !== null ? (json as { xdpctl?: unknown }).xdpctl : undefined;
  if (version === DOCUMENT_VERSION) return json;
  throw usageError(
    version === undefined
      ? `${name} is no document of redirects: it has no "xdpctl": ${DOCUMENT_VERSION}`
      : `${name} is a document of format ${JSON.stringify(version)}; this xdpctl reads ${DOCUMENT_VERSION}`,
    seeExport,
  );
}

function seeExport({ own }: Typed): string {
  return `${own(['redirect', 'export'])} makes one`;
}

let made: ReturnType<typeof makeSchema> | undefined;

/** Made once, when it is needed: making it takes longer than reading with it. */
function schema(): ReturnType<typeof makeSchema> {
  return (made ??= makeSchema());
}

function makeSchema(): z.ZodMiniType<{ readonly redirects: readonly PathWish[] }> {
  const number = z.number().check(z.int(), z.nonnegative(), z.lte(0xffff_ffff));
  const text = z.string().check(z.minLength(1));
  const optional = { text: z.optional(text), number: z.optional(number), boolean: z.optional(z.boolean()) };
  const target = z.strictObject({
    dev: text,
    key: optional.number,
    egress: optional.text,
    dst_mac: optional.text,
    src_mac: optional.text,
  });
  const cpu = z.strictObject({ cpu: number, qsize: optional.number, prog: optional.text });
  const path = z.strictObject({
    dev: text,
    to: z.optional(z.array(z.union([text, target]))),
    broadcast: optional.boolean,
    exclude_ingress: optional.boolean,
    egress: optional.text,
    dst_mac: optional.text,
    src_mac: optional.text,
    cpus: z.optional(z.array(z.union([number, cpu]))),
    qsize: optional.number,
    prog: optional.text,
    xsk: optional.boolean,
    map: optional.text,
    object: optional.text,
    program: optional.text,
    key: z.optional(z.union([z.literal('ingress'), z.literal('queue'), number])),
    on_miss: z.optional(z.enum(Object.keys(missActions) as [MissAction, ...MissAction[]])),
    mode: z.optional(z.enum(['native', 'generic'])),
    link: optional.boolean,
  });
  return z.strictObject({ xdpctl: z.literal(DOCUMENT_VERSION), redirects: z.array(path) });
}

/** The first thing that is wrong, with its place: `redirects[2].to[0].dev`. */
function problem(error: z.core.$ZodError): string {
  const issue = deepest(error.issues);
  if (issue === undefined) return 'not a document';
  const place = placeText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return `${place === '' ? 'the document' : place} has an unknown key "${issue.keys.join('", "')}"`;
  }
  if (issue.code === 'invalid_type') return `${place} is missing, or no ${issue.expected}`;
  if (issue.code === 'invalid_value') return `${place} is none of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_big' || issue.code === 'too_small') return `${place} is out of range`;
  return `${place} is not what it may be`;
}

/** Of a choice that none fits, what is wrong with the one that comes nearest. */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  const [issue] = issues;
  if (issue?.code !== 'invalid_union') return issue;
  const inner = issue.errors
    .map(deepest)
    .filter((each) => each !== undefined)
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  return inner === undefined || inner.path.length === 0 ? issue : { ...inner, path: [...issue.path, ...inner.path] };
}

function placeText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}
