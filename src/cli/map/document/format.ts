import * as z from 'zod/mini';

import { usageError } from '../../../domain/errors.ts';

/** Rises when documents change so that older programs would misread them. */
export const DOCUMENT_VERSION = 1;

/** What a document says before its entries. */
export interface MapDocument {
  readonly map: {
    readonly type: string;
    readonly bytes_key: number;
    readonly bytes_value: number;
  };
  /** Not looked into yet: there may be a million, and a schema for each would cost more than reading them. */
  readonly entries: readonly unknown[];
}

let made: ReturnType<typeof makeSchema> | undefined;

/** Made once, when it is needed: making it takes longer than reading with it. */
function schema(): ReturnType<typeof makeSchema> {
  return (made ??= makeSchema());
}

function makeSchema(): z.ZodMiniType<MapDocument & { readonly complete?: boolean | undefined }> {
  const count = z.number().check(z.int(), z.nonnegative());
  return z.strictObject({
    xdpctl: z.literal(DOCUMENT_VERSION),
    map: z.strictObject({
      type: z.string(),
      name: z.optional(z.string()),
      bytes_key: count,
      bytes_value: count,
      max_entries: z.optional(count),
      flags: z.optional(count),
    }),
    entries: z.custom<unknown[]>((value) => Array.isArray(value)),
    complete: z.optional(z.boolean()),
  });
}

/**
 * The document in a text.
 *
 * @param name what the text came from, for messages
 * @throws ToolError usage for a text that is no document, of another version, or that broke off
 */
export function parseDocument(text: string, name: string): MapDocument {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw usageError(
      `${name} is no JSON document: ${(error as Error).message}`,
      ({ own }) => `documents are made by: ${own(['map', 'export', 'MAP'])}`,
    );
  }
  const version = typeof json === 'object' && json !== null ? (json as { xdpctl?: unknown }).xdpctl : undefined;
  if (version === undefined) {
    throw usageError(`${name} is no document of 'xdpctl map export': it has no "xdpctl": ${DOCUMENT_VERSION}`);
  }
  if (version !== DOCUMENT_VERSION) {
    throw usageError(
      `${name} is a document of format ${JSON.stringify(version)}; this xdpctl reads ${DOCUMENT_VERSION}`,
    );
  }
  const result = schema().safeParse(json);
  if (!result.success) throw usageError(`${name}: ${problem(result.error)}`);
  if (result.data.complete === false) {
    throw usageError(`${name} is not complete: the export that wrote it broke off`);
  }
  return result.data;
}

function problem(error: z.core.$ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'not a document';
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return `${path === '' ? 'the document' : `'${path}'`} has an unknown key '${issue.keys.join("', '")}'`;
  }
  const wanted = issue.code === 'invalid_type' ? `: ${issue.expected} is wanted` : '';
  return `'${path}' is missing or not what it must be${wanted}`;
}
