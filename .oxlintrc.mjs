import { libraryHomes, outsidersOf, rooms } from './bin/dev/rooms.mjs';

/** The restrictions for one file of src/: rooms it may not import, and libraries that live elsewhere. */
function importRules(room, homeOf = []) {
  const forbidden = outsidersOf(room).map((outsider) => ({
    group: [rooms[outsider].imported],
    message: `${room} does not import ${outsider}; see bin/dev/rooms.mjs.`,
  }));
  const libraries = Object.entries(libraryHomes)
    .filter(([library]) => !homeOf.includes(library))
    .map(([library, home]) => ({
      group: [library, `${library}/**`],
      message: `${library} is imported only in src/${home}.`,
    }));
  // The whole of zod costs 18 ms at start, its mini form 2.
  const paths = [{ name: 'zod', message: "Use `import * as z from 'zod/mini'`." }];
  return { 'no-restricted-imports': ['error', { paths, patterns: [...forbidden, ...libraries] }] };
}

/** The home of a library needs a later block of its own: a rule's options replace those before, they do not add. */
const homes = [...new Set(Object.values(libraryHomes))].map((home) => {
  const room = Object.keys(rooms).find((name) => home === rooms[name].folder || home.startsWith(rooms[name].folder));
  const libraries = Object.keys(libraryHomes).filter((library) => libraryHomes[library] === home);
  return { files: [`src/${home}${home.endsWith('/') ? '**' : ''}`], rules: importRules(room, libraries) };
});

export default {
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise', 'node', 'vitest'],
  options: { typeAware: true },
  env: { node: true },
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['dist/', 'coverage/', 'node_modules/'],
  rules: {
    eqeqeq: 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'no-console': 'error',
    'no-control-regex': 'off',
    'no-param-reassign': 'error',
    'no-shadow': 'error',
    'no-underscore-dangle': 'off',
    'no-var': 'error',
    'prefer-const': 'error',
    'typescript/consistent-return': 'off', // the compiler's noImplicitReturns knows more
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-non-null-assertion': 'error',
    // Foreign data is checked where it enters; a cast there says so.
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/only-throw-error': 'error',
    'typescript/return-await': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/unbound-method': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'unicorn/prefer-node-protocol': 'error',
  },
  overrides: [
    ...Object.entries(rooms).map(([room, { folder }]) => ({
      files: [`src/${folder}${folder.endsWith('/') ? '**' : ''}`],
      rules: importRules(room),
    })),
    ...homes,
    {
      files: ['src/**'],
      excludeFiles: ['src/main.ts'],
      rules: {
        'no-restricted-properties': [
          'error',
          ...['argv', 'stdin', 'stdout', 'stderr', 'exit', 'exitCode', 'on', 'once'].map((property) => ({
            object: 'process',
            property,
            message: 'Only src/main.ts touches the process.',
          })),
        ],
      },
    },
    { files: ['bin/**', 'test/**/*.mjs', 'test/bench/**'], rules: { 'no-console': 'off' } },
    {
      files: ['*.config.ts', '.oxlintrc.mjs', 'bin/dev/test-reporter.mjs', 'test/support/setup/**'],
      rules: { 'import/no-default-export': 'off' },
    },
    {
      files: ['test/**'],
      rules: {
        'typescript/no-non-null-assertion': 'off',
        'vitest/expect-expect': ['error', { assertFunctionNames: ['expect', 'expect*', 'fc.assert', 'assert*'] }],
      },
    },
  ],
};
