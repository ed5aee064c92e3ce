/**
 * The verbs and options that users were promised (sections 1 and 3 to 7 of the public interface), by object. A verb that
 * is not there yet comes with a later version; one that is there and is not in this list was never promised.
 */
export const promisedVerbs: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  map: {
    show: [],
    create: ['if-absent'],
    dump: [],
    lookup: [],
    update: [],
    delete: ['strict'],
    getnext: [],
    pin: [],
    unpin: [],
    freeze: [],
    export: ['key-names'], // added since
    import: [],
  },
  batch: { file: ['keep-going'] },
  prog: { show: [], load: [], loadall: [], pin: [], unpin: [], run: [] },
  net: { show: [], attach: [], detach: [], features: [] },
  link: { show: [], pin: [], detach: [] },
  redirect: {
    attach:
      list(`to broadcast exclude-ingress egress cpus qsize prog xsk map object program key on-miss mode both dst-mac
      src-mac replace link confirm yes`),
    detach: ['force'],
    show: ['format'],
    stats: list('interval count'),
    check: ['exit-code'],
    test: list('transmit count size exit-code allow-broadcast allow-pass queue'), // the last added since
    apply: ['prune', 'confirm', 'yes'], // the last two added since
    diff: ['exit-code', 'prune'], // the last added since
    export: [],
  },
  xsk: {
    bind: list(`queue map attach copy zero-copy frames frame-size rx-size fill-size count duration interval action write
      mode overwrite busy yes`), // the last four added since
    show: [],
  },
  debug: {
    drops: list('via duration interval follow conserve prog map exit-code max-rate print-command'),
    events: list('via duration'),
    record: list('duration output max-size force'), // the last two added since
    explain: [],
  },
  completion: { bash: [], zsh: [], fish: [] },
};

/** Objects that are there whole. */
export const wholeObjects = ['map', 'prog', 'net', 'link', 'batch', 'debug'];

/** The options of every verb, with their letters. */
export const promisedOptions = [
  ...list('--color --netns --dry-run'),
  ...list('-j/--json -p/--pretty -d/--debug -f/--bpffs -n/--nomount -q/--quiet -V/--version -h/--help').map((form) =>
    form.replace('/', ', '),
  ),
];

export const promisedExitCodes = [0, 1, 2, 3, 4, 5, 6, 10, 70];

function list(words: string): string[] {
  return words.split(/\s+/);
}
