import { errorSchema, type JsonSchema, versionSchema, warningSchema } from './json-schema.ts';

export type LoadSchemas = () => Promise<{ readonly schemas: Readonly<Record<string, JsonSchema>> }>;

/**
 * The schemas of each object's verbs. They are for the package and the manual; the command itself never loads them.
 */
const loaders: Readonly<Record<string, LoadSchemas>> = {
  map: () => import('./map/schemas.ts'),
  prog: () => import('./prog/schemas.ts'),
  net: () => import('./net/schemas.ts'),
  link: () => import('./link/schemas.ts'),
  redirect: () => import('./redirect/schemas.ts'),
  debug: () => import('./debug/schemas.ts'),
  batch: () => import('./batch/schemas.ts'),
  xsk: () => import('./xsk/schemas.ts'),
  completion: () => import('./completion/schemas.ts'),
};

/** A schema with the name of its file in the package, dist/schema/. */
export interface SchemaDocument {
  readonly file: string;
  readonly schema: JsonSchema;
}

/** The schemas of an object's verbs, by verb. */
export async function schemasOf(object: string): Promise<Readonly<Record<string, JsonSchema>>> {
  const load = loaders[object];
  return load === undefined ? {} : (await load()).schemas;
}

/** Every schema, as it is published. */
export async function schemaDocuments(): Promise<readonly SchemaDocument[]> {
  const documents = [
    document('error', 'A command that failed: the object on stderr', errorSchema),
    document('warning', 'A remark: an object on stderr', warningSchema),
    document('version', 'xdpctl -j version', versionSchema),
  ];
  for (const object of Object.keys(loaders)) {
    for (const [verb, schema] of Object.entries(await schemasOf(object))) {
      documents.push(document(`${object}-${verb}`, `xdpctl -j ${object} ${verb}`, schema));
    }
  }
  return documents;
}

function document(name: string, title: string, schema: JsonSchema): SchemaDocument {
  return {
    file: `${name}.json`,
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `urn:xdpctl:${name}`,
      ...schema,
      title,
    },
  };
}
