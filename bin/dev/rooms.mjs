/**
 * The rooms of src/ and which room may import which. Lint (.oxlintrc.mjs) enforces this table, and
 * test/rooms.test.ts proves that it does.
 *
 * `folder` is the room's folder or file below src/, `imported` a glob for the words by which another file would import
 * it, `imports` the rooms it may use.
 */
export const rooms = {
  domain: { folder: 'domain/', imported: '**/domain/**', imports: [] },
  ffi: { folder: 'ffi/', imported: '**/ffi/**', imports: [] },
  kernel: { folder: 'kernel/', imported: '**/kernel/**', imports: ['ffi', 'domain'] },
  tracing: { folder: 'tracing/', imported: '**/tracing/**', imports: ['kernel', 'domain'] },
  output: { folder: 'output/', imported: '**/output/**', imports: ['domain'] },
  cli: { folder: 'cli/', imported: '**/cli/**', imports: ['output', 'tracing', 'kernel', 'domain'] },
  run: { folder: 'run.ts', imported: '**/run.ts', imports: ['cli', 'output', 'tracing', 'kernel', 'domain'] },
  main: { folder: 'main.ts', imported: '**/main.ts', imports: ['run', 'cli', 'output', 'kernel', 'domain'] },
};

/** The one file or folder below src/ that knows a library. */
export const libraryHomes = {
  koffi: 'ffi/',
  commander: 'cli/program.ts',
  'cli-table3': 'output/table.ts',
  chalk: 'output/color.ts',
};

/** The rooms that a room may not import. */
export function outsidersOf(room) {
  return Object.keys(rooms).filter((other) => other !== room && !rooms[room].imports.includes(other));
}
