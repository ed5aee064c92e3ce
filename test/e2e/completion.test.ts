import { describe, expect, it } from 'vitest';

import { shellCommand } from '../../src/domain/shell-quote.ts';
import { runInExampleWorld } from '../support/example-world.ts';
import { needProgram } from '../support/need.ts';

/** By shell: defines `try`, which completes the last of its arguments and prints the candidates, a line each. */
const completers: Readonly<Record<string, string>> = {
  bash: `source <(xdpctl completion bash)
    try() {
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _xdpctl
      printf '%s\\n' "\${COMPREPLY[@]}"
    }`,
  // What zsh's own widgets do with the candidates is their business.
  zsh: `compdef() { : }
    compadd() { print -rl -- "\${(@)found}" }
    _files() { print -rl -- *(N) }
    source <(xdpctl completion zsh)
    try() {
      words=("$@") CURRENT=$# PREFIX="\${@[-1]}"
      _xdpctl
    }`,
  fish: `xdpctl completion fish | source
    function try
      complete -C "$argv"
    end`,
};

/** Completes several command lines in one world, after another command has changed it. */
function complete(shell: string, lines: readonly (readonly string[])[], before = 'true'): string[][] {
  const tries = lines.map((words) => `${shellCommand(['try', 'xdpctl', ...words])}\necho @@\n`);
  const command = shellCommand([shell, '-c', `${completers[shell]}\n${tries.join('')}ls`]);
  const { status, stdout, stderr } = runInExampleWorld({ command: `${before} && ${command}` });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  // fish adds a description after a tab.
  return stdout.split('@@\n').map((part) => part.replaceAll(/\t.*/g, '').split('\n'));
}

const cases = [
  { words: ['ma'], has: ['map'], lacks: ['__complete'] },
  { words: ['map', ''], has: ['show', 'list', 'update', 'help'], lacks: ['map'] },
  { words: ['map', 'update', ''], has: ['id', 'name', 'pinned', 'key', 'value', 'noexist'], lacks: ['type', 'MAP'] },
  { words: ['map', 'update', 'pinned', ''], has: ['forward', 'cpus', 'egress'], lacks: ['key'] },
  { words: ['map', 'create', 'new', 'type', 'dev'], has: ['devmap', 'devmap_hash'], lacks: ['key'] },
  {
    words: ['map', 'update', 'pinned', 'forward', 'key', '0', 'value', 'dev', ''],
    has: ['eth0', 'eth1'],
    lacks: ['hex'],
  },
  { words: ['prog', ''], has: ['show', 'load', 'loadall', 'run'], lacks: ['attach'] },
  { words: ['prog', 'load', ''], has: ['router.bpf.o'], lacks: ['@files'] },
  { words: ['prog', 'run', 'pinned', 'egress', ''], has: ['data_in', 'repeat'], lacks: ['pinmaps'] },
  { words: ['net', 'attach', ''], has: ['xdpdrv', 'xdpgeneric', 'overwrite'], lacks: ['TYPE'] },
  { words: ['net', 'attach', 'xdpdrv', 'name', 'eg'], has: ['egress'], lacks: ['cpus'] },
  { words: ['net', 'detach', 'xdpdrv', 'dev', ''], has: ['eth0', 'eth1'], lacks: ['xdpdrv'] },
  { words: ['link', 'detach', ''], has: ['id', 'pinned'], lacks: ['name'] },
  { words: ['redirect', 'attach', 'eth0', '--to', ''], has: ['eth0', 'eth1', 'lo'], lacks: ['--mode'] },
  { words: ['redirect', 'attach', 'eth0', '--'], has: ['--to', '--mode', '--json'], lacks: ['--force'] },
  { words: ['redirect', 'attach', 'eth0', '--mode', ''], has: ['native', 'generic'], lacks: ['eth1'] },
  { words: ['--netns', ''], has: ['left', 'right'], lacks: ['map'] },
  { words: ['--netns', 'left', 'redirect', 'attach', ''], has: ['peer0'], lacks: ['eth0'] },
  { words: ['batch', 'file', ''], has: ['updates.txt'], lacks: ['file'] },
  { words: ['debug', 'explain', 'target-'], has: ['target-no-xmit', 'target-down'], lacks: ['eth0'] },
];

describe.each(Object.keys(completers))('completion in %s', (shell) => {
  it('offers what may follow, and nothing else', (context) => {
    needProgram(context, shell);
    const offered = complete(
      shell,
      cases.map(({ words }) => words),
    );
    const faults = cases.map(({ words, has, lacks }, index) => ({
      words,
      missing: has.filter((word) => !offered[index]?.includes(word)),
      needless: lacks.filter((word) => offered[index]?.includes(word)),
    }));
    expect(faults).toEqual(cases.map(({ words }) => ({ words, missing: [], needless: [] })));
  });

  it('knows maps by id and by name', (context) => {
    needProgram(context, shell);
    const [names, ids = []] = complete(shell, [
      ['map', 'show', 'name', ''],
      ['map', 'show', 'id', ''],
    ]);
    expect(names).toContain('forward');
    expect(ids.length).toBeGreaterThan(4);
    for (const id of ids) expect(id).toMatch(/^[0-9]*$/);
  });

  it('never runs what is only a name', (context) => {
    needProgram(context, shell);
    const name = '$(id>pwned)';
    const rename = shellCommand(['ip', 'link', 'set', 'eth1', 'down', 'name', name]);
    const [interfaces = [], files] = complete(shell, [['redirect', 'attach', '']], rename);
    expect(interfaces.map((word) => word.replaceAll('\\', ''))).toContain(name);
    expect(files).toContain('updates.txt');
    expect(files).not.toContain('pwned');
  });
});
