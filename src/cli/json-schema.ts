/** A JSON Schema (draft 2020-12), as far as ours go. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly const?: string | number | boolean;
  readonly enum?: readonly (string | number)[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
}

export type JsonType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

/** An object; a key that ends in `?` may be absent. */
export function objectOf(properties: Readonly<Record<string, JsonSchema>>, description?: string): JsonSchema {
  const names = Object.keys(properties);
  return {
    type: 'object',
    ...(description !== undefined && { description }),
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name.replace(/\?$/, ''), schema]),
    ),
    required: names.filter((name) => !name.endsWith('?')),
  };
}

export function arrayOf(items: JsonSchema, description?: string): JsonSchema {
  return { type: 'array', ...(description !== undefined && { description }), items };
}

/** A whole number from 0 on, up to 2^53 - 1. */
export function count(description: string): JsonSchema {
  return { type: 'integer', minimum: 0, description };
}

export function text(description: string): JsonSchema {
  return { type: 'string', description };
}

/** Whole numbers of up to 64 bits: beyond 2^53 - 1 they are decimal strings. */
export function wide(description: string): JsonSchema {
  return { type: ['integer', 'string'], pattern: '^-?[0-9]+$', description };
}

/** bpftool's form of bytes. */
export function bytes(description: string): JsonSchema {
  return arrayOf({ type: 'string', pattern: '^0x[0-9a-f]{2}$' }, description);
}

/** What every verb that changes something prints under --dry-run. */
export const dryRunSchema: JsonSchema = objectOf({
  dry_run: { const: true, description: 'always true' },
  would: arrayOf({ type: 'string' }, 'the steps it would take, none of which was taken'),
});

/** A verb that has nothing to say, but under --dry-run. */
export const silentSchema: JsonSchema = { ...dryRunSchema, description: 'Nothing is printed, except with --dry-run' };

/** The object on stderr when a command fails under -j. */
export const errorSchema: JsonSchema = objectOf({
  error: objectOf({
    exit: count('the exit code'),
    message: text('what failed'),
    'hint?': text('what to do about it'),
    'errno?': count('the errno, where the kernel said one'),
    'errnoName?': text('its name, such as ENOENT'),
    'operation?': text('what was being done, such as map update'),
    'batch?': objectOf(
      {
        file: text('the file as it was named, or: standard input'),
        line: count('the line where the command begins'),
        'command?': arrayOf({ type: 'string' }, 'its words; absent when the line cannot be read'),
        applied: count('commands that were applied before it'),
      },
      'where in a batch',
    ),
  }),
});

/** The object on stderr for a remark that does not keep a command from succeeding. */
export const warningSchema: JsonSchema = objectOf({
  warning: objectOf({ message: text('what is wrong'), 'hint?': text('what to do about it') }),
});

/** `xdpctl version`, with bpftool's keys. */
export const versionSchema: JsonSchema = objectOf({
  version: text('of xdpctl'),
  libbpf_version: { type: ['string', 'null'], description: 'of libbpf.so; null where there is none' },
  features: objectOf({}, 'empty'),
});
