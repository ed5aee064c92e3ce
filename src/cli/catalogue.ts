import type { Verb } from './verb.ts';

export type LoadVerb = () => Promise<{ readonly verb: Verb }>;

/** An object of the command line with its verbs, which are loaded when they are needed. */
export interface CatalogueObject {
  readonly name: string;
  readonly summary: string;
  /** What the object does when no verb is typed. */
  readonly defaultVerb?: string;
  readonly verbs: Readonly<Record<string, LoadVerb>>;
  /** Other names of verbs. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** The whole surface of the tool, in the order of the help. */
export const catalogue: readonly CatalogueObject[] = [
  {
    name: 'map',
    summary: 'redirect maps (devmap, devmap_hash, cpumap, xskmap), and every other BPF map',
    defaultVerb: 'show',
    aliases: { list: 'show', peek: 'lookup' },
    verbs: {
      show: () => import('./map/show.ts'),
      create: () => import('./map/create.ts'),
      dump: () => import('./map/dump.ts'),
      lookup: () => import('./map/lookup.ts'),
      update: () => import('./map/update.ts'),
      delete: () => import('./map/delete.ts'),
      getnext: () => import('./map/getnext.ts'),
      pin: () => import('./map/pin.ts'),
      unpin: () => import('./map/unpin.ts'),
      freeze: () => import('./map/freeze.ts'),
      export: () => import('./map/export.ts'),
      import: () => import('./map/import.ts'),
    },
  },
  {
    name: 'prog',
    summary: 'programs: list, load, pin and run them',
    defaultVerb: 'show',
    aliases: { list: 'show' },
    verbs: {
      show: () => import('./prog/show.ts'),
      load: () => import('./prog/load.ts'),
      loadall: () => import('./prog/loadall.ts'),
      pin: () => import('./prog/pin.ts'),
      unpin: () => import('./prog/unpin.ts'),
      run: () => import('./prog/run-program.ts'),
    },
  },
  {
    name: 'net',
    summary: 'XDP programs on interfaces, and what the drivers can do',
    defaultVerb: 'show',
    aliases: { list: 'show' },
    verbs: {
      show: () => import('./net/show.ts'),
      attach: () => import('./net/attach.ts'),
      detach: () => import('./net/detach.ts'),
      features: () => import('./net/features.ts'),
    },
  },
  {
    name: 'link',
    summary: 'links, which hold programs where they are attached',
    defaultVerb: 'show',
    aliases: { list: 'show' },
    verbs: {
      show: () => import('./link/show.ts'),
      pin: () => import('./link/pin.ts'),
      detach: () => import('./link/detach.ts'),
    },
  },
  {
    name: 'batch',
    summary: 'many commands in one run',
    verbs: {
      file: () => import('./batch/file.ts'),
    },
  },
  {
    name: 'redirect',
    summary: 'whole redirect paths: what arrives here leaves there',
    defaultVerb: 'show',
    aliases: { list: 'show' },
    verbs: {
      attach: () => import('./redirect/attach.ts'),
      detach: () => import('./redirect/detach.ts'),
      show: () => import('./redirect/show.ts'),
      stats: () => import('./redirect/stats.ts'),
      check: () => import('./redirect/check.ts'),
      test: () => import('./redirect/test.ts'),
      apply: () => import('./redirect/apply.ts'),
      diff: () => import('./redirect/diff.ts'),
      export: () => import('./redirect/export.ts'),
    },
  },
  {
    name: 'xsk',
    summary: 'AF_XDP sockets: bind one to a receive queue, see who holds which',
    defaultVerb: 'show',
    aliases: { list: 'show' },
    verbs: {
      show: () => import('./xsk/show.ts'),
      bind: () => import('./xsk/bind.ts'),
    },
  },
  {
    name: 'debug',
    summary: 'lost frames: how many, where, why, and what to type',
    verbs: {
      drops: () => import('./debug/drops.ts'),
      events: () => import('./debug/events.ts'),
      record: () => import('./debug/record.ts'),
      explain: () => import('./debug/explain.ts'),
    },
  },
  {
    name: 'completion',
    summary: 'completion of command lines in bash, zsh and fish',
    verbs: {
      bash: async () => ({ verb: (await import('./completion/verbs.ts')).completionVerbs.bash }),
      zsh: async () => ({ verb: (await import('./completion/verbs.ts')).completionVerbs.zsh }),
      fish: async () => ({ verb: (await import('./completion/verbs.ts')).completionVerbs.fish }),
    },
  },
];

const liveWordKinds = [
  'interfaces',
  'netns',
  'pins',
  'map-ids',
  'map-names',
  'program-ids',
  'program-names',
  'link-ids',
] as const;

/** What the completion scripts call; neither help nor manual tells of it. */
const completionHelper: CatalogueObject = {
  name: '__complete',
  summary: 'words that there are now, for completion',
  verbs: Object.fromEntries(
    liveWordKinds.map((kind): [string, LoadVerb] => [
      kind,
      async () => ({ verb: (await import('./completion/live-words.ts')).liveWords[kind] }),
    ]),
  ),
};

/** The object of that name, or undefined. */
export function findObject(name: string): CatalogueObject | undefined {
  return name === completionHelper.name ? completionHelper : catalogue.find((object) => object.name === name);
}

/** The verb of that name or alias, or undefined. */
export async function loadVerb(object: CatalogueObject, name: string): Promise<Verb | undefined> {
  const { verbs, aliases = {} } = object;
  const meant = (Object.hasOwn(aliases, name) ? aliases[name] : undefined) ?? name;
  const load = Object.hasOwn(verbs, meant) ? verbs[meant] : undefined;
  return load === undefined ? undefined : (await load()).verb;
}

/** All verbs of an object, in the order of the help. */
export async function loadVerbs(object: CatalogueObject): Promise<readonly Verb[]> {
  const modules = await Promise.all(Object.values(object.verbs).map((load) => load()));
  return modules.map(({ verb }) => verb);
}
