import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';

import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { libraryHomes, outsidersOf, rooms, type Room } from '../bin/dev/rooms.mjs';

const project = join(import.meta.dirname, '..');
const roomNames = Object.keys(rooms) as Room[];
const libraries = Object.keys(libraryHomes);

/** Files that stand for a room: one at its top, one deeper, and those that are at home with a library. */
function filesOf(room: Room): string[] {
  const { folder } = rooms[room];
  const homes = Object.values(libraryHomes).filter((home) => home.startsWith(folder) && !home.endsWith('/'));
  return folder.endsWith('/') ? [`${folder}probe.ts`, `${folder}deep/probe.ts`, ...homes] : [folder];
}

/** A line of a probe: what it imports, and whether lint must complain. */
interface Line {
  readonly text: string;
  readonly forbidden: boolean;
}

/** Every way in which a file could import a module. */
function importLines(specifier: string, forbidden: boolean): Line[] {
  return [
    { text: `import '${specifier}';`, forbidden },
    { text: `import type * as ${specifier.replaceAll(/\W/g, '_')} from '${specifier}';`, forbidden },
    { text: `export * from '${specifier}';`, forbidden },
    { text: `void import('${specifier}');`, forbidden },
  ];
}

function roomLines(file: string, room: Room): Line[] {
  return roomNames
    .filter((other) => other !== room)
    .flatMap((other) => {
      const path = posix.relative(dirname(file), filesOf(other)[0] ?? '');
      return importLines(path.startsWith('.') ? path : `./${path}`, outsidersOf(room).includes(other));
    });
}

function libraryLines(file: string): Line[] {
  return libraries.flatMap((library) => {
    const home = libraryHomes[library] ?? '';
    const atHome = home.endsWith('/') ? file.startsWith(home) : file === home;
    return [...importLines(library, !atHome), ...importLines(`${library}/part.js`, !atHome)];
  });
}

const probes = new Map<string, Line[]>(
  roomNames.flatMap((room) =>
    filesOf(room).map((file) => [
      file,
      [...roomLines(file, room), ...libraryLines(file), ...importLines('zod', true), ...importLines('zod/mini', false)],
    ]),
  ),
);

/** Files that break the rules which hold the house together in other ways. */
const offenders: Readonly<Record<string, { readonly text: string; readonly rule: string }>> = {
  'domain/cycle-a.ts': {
    text: `import './cycle-b.ts';\nexport const a = 1;\n`,
    rule: 'import(no-cycle)',
  },
  'domain/cycle-b.ts': {
    text: `import './cycle-a.ts';\nexport const b = 1;\n`,
    rule: 'import(no-cycle)',
  },
  'cli/argv.ts': { text: 'export const words = process.argv;\n', rule: 'eslint(no-restricted-properties)' },
  'output/print.ts': { text: `console.log('');\n`, rule: 'eslint(no-console)' },
  'kernel/floating.ts': {
    text: 'export async function f(): Promise<void> {}\nf();\n',
    rule: 'typescript(no-floating-promises)',
  },
};

interface Diagnostic {
  readonly code?: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

describe('lint', () => {
  const copy = mkdtempSync(join(tmpdir(), 'xdpctl-rooms-'));
  let diagnostics: Diagnostic[] = [];

  beforeAll(() => {
    for (const path of ['.oxlintrc.mjs', 'bin/dev/rooms.mjs', 'tsconfig.json'])
      cpSync(join(project, path), join(copy, path));
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
    for (const [file, lines] of probes) write(file, lines.map(({ text }) => `${text}\n`).join(''));
    for (const [file, { text }] of Object.entries(offenders)) write(file, text);
    write('kernel/honest.ts', 'export const one = 1;\n');
    const words = ['-c', '.oxlintrc.mjs', '--format=json', 'src'];
    const { stdout } = spawnSync(join(project, 'node_modules/.bin/oxlint'), words, { cwd: copy, encoding: 'utf8' });
    ({ diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] });
  });

  afterAll(() => rmSync(copy, { recursive: true }));

  function write(file: string, text: string): void {
    const path = join(copy, 'src', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  it('understands every probe', () => {
    expect(diagnostics.filter(({ code }) => code === undefined)).toEqual([]);
  });

  it.each([...probes])('lets src/%s import exactly what its room may', (file, lines) => {
    const complaints = diagnostics
      .filter(({ code, filename }) => code === 'eslint(no-restricted-imports)' && filename === `src/${file}`)
      .map(({ labels }) => labels[0]?.span.line);
    const refused = lines.filter((_, index) => complaints.includes(index + 1)).map(({ text }) => text);
    expect(refused).toEqual(lines.filter(({ forbidden }) => forbidden).map(({ text }) => text));
  });

  it.each(Object.entries(offenders))('refuses src/%s', (file, { rule }) => {
    expect(codesOf(file)).toContain(rule);
  });

  it('has nothing to say about an honest file', () => {
    expect(codesOf('kernel/honest.ts')).toEqual([]);
  });

  function codesOf(file: string): (string | undefined)[] {
    return diagnostics.filter(({ filename }) => filename === `src/${file}`).map(({ code }) => code);
  }
});

describe('the bundle', () => {
  it('loads no library before it is used', async () => {
    const { metafile } = await build({
      absWorkingDir: project,
      entryPoints: ['src/main.ts'],
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'cjs',
      external: ['koffi'],
      logLevel: 'silent',
    });
    const eager = new Set<string>();
    const queue = ['src/main.ts'];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (eager.has(file)) continue;
      eager.add(file);
      const imports = metafile.inputs[file]?.imports ?? [];
      queue.push(...imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path));
    }
    expect([...eager].filter((file) => file.includes('node_modules/') || file === 'koffi')).toEqual([]);
    expect([...eager].filter((file) => file.startsWith('src/ffi/'))).toEqual([]);
  });
});
