import { copyFileSync, writeFileSync } from 'node:fs';

import { type FaultWorld, objectFile } from '../../faults/support/fault-world.ts';

/** Exit codes that a command may have; 0 when it has no more than its words. */
export interface Line {
  readonly words: readonly string[];
  readonly exit?: number;
}

/**
 * Commands of all verbs that end by themselves, in groups after each of which nothing is left of it. Some fail, as they do
 * in real life.
 */
export function mixedCommands(world: FaultWorld): readonly (readonly Line[])[] {
  writeDocuments(world);
  const lines = (text: string): Line[] =>
    text
      .trim()
      .split('\n')
      .map((line) => {
        const [, command = '', exit] = /^\s*(.*?)(?: => (\d+))?$/.exec(line) ?? [];
        return {
          words: world.words(command.replace(/OBJECT:(\w+)/, (_, name: string) => objectFile(name))),
          ...(exit !== undefined && { exit: Number(exit) }),
        };
      });
  return [
    lines(`
      map create @m type devmap entries 8 name m
      map create @m type devmap entries 8 name m --if-absent
      map create @m type devmap entries 8 name m => 6
      map update @m key 0 value B
      map update @m key 0 value C exist
      map update @m key 8 value C => 2
      map update @m key 1 value nosuch0 => 3
      map lookup @m key 0
      map getnext @m
      map dump @m
      map export @m
      map import @m %entries.json replace
      map show @m
      map pin @m @m2
      map delete @m key 0
      map delete @m key 7 --strict => 3
      map unpin @m2
      map unpin @m`),
    lines(`
      prog load OBJECT:egress_devmap @egress
      map create @m type devmap_hash entries 8 name m
      map update @m key A value B prog @egress
      map dump @m
      prog show @egress
      prog pin @egress @egress2
      prog unpin @egress2
      prog unpin @egress
      map unpin @m`),
    lines(`
      map create @c type cpumap entries 1 name c
      map update @c key 0 value qsize 64
      map update @c key 0 value 100000 => 2
      map freeze @c
      map dump @c
      map unpin @c`),
    lines(`
      map create @h type hash key 4 value 8 entries 64 name h
      map update @h key 5 value 6
      map dump @h
      map freeze @h
      map update @h key 5 value 7 => 1
      map unpin @h`),
    lines(`
      prog load OBJECT:faulty @none => 3
      prog load OBJECT:pass @pass
      prog run @pass
      net attach xdp @pass dev A
      net attach xdp @pass dev A => 6
      net show dev A
      net features dev A
      net detach xdp dev A
      net detach xdp dev A => 3
      prog unpin @pass`),
    lines(`
      redirect attach A --to B
      redirect attach A --to C => 6
      redirect show
      redirect check
      redirect stats --count 1
      redirect export
      redirect attach A --to C --replace
      redirect detach B => 3
      redirect detach A`),
    lines(`
      redirect attach A --to B --both --link
      link show
      redirect show --format tree
      redirect detach A
      redirect detach B`),
    lines(`
      redirect attach A --cpus 0 --qsize 64 --prog builtin:pass
      redirect show A
      redirect attach A --xsk --replace
      xsk show
      redirect detach A`),
    lines(`
      redirect apply %redirects.json
      redirect diff %redirects.json
      redirect apply %redirects2.json --prune
      redirect apply %none.json --prune`),
    lines(`
      redirect attach A --to B --dst-mac 02:00:00:00:00:01
      redirect test A --transmit --count 3
      redirect detach A`),
    lines(`
      prog loadall OBJECT:redirect_devmap @all pinmaps @maps
      prog show
      map show
      prog unpin @all/redirect
      map unpin @maps/counters
      map unpin @maps/targets
      map unpin @maps/redirect_rodata`),
  ];
}

/** Commands that run until they are stopped, for a moment, and what is about no system call: no lines of a batch. */
export function shortLived(world: FaultWorld): readonly (readonly Line[])[] {
  const one = (text: string, exit?: number): Line[] => [
    { words: world.words(text), ...(exit !== undefined && { exit }) },
  ];
  return [
    one('xsk bind A --queue 0 --frames 64 --rx-size 64 --attach --duration 20ms'),
    one('xsk bind A --queue 7 --attach', 2),
    one('debug drops A --via builtin --duration 20ms'),
    one('debug events --duration 20ms'),
    one('debug explain target-no-xmit'),
    one('version'),
    one('completion bash'),
    one('redirect attach nosuch0 --to B', 3),
    one('map udpate', 2),
  ];
}

function writeDocuments({ files, router: { a, b, c } }: FaultWorld): void {
  const write = (name: string, document: object): void => writeFileSync(files.file(name), JSON.stringify(document));
  const entries = [b, c].map(({ name }, index) => ({ key: index + 2, value: { dev: name } }));
  write('entries.json', { xdpctl: 1, map: { type: 'devmap', bytes_key: 4, bytes_value: 8 }, entries });
  write('redirects.json', {
    xdpctl: 1,
    redirects: [
      { dev: a.name, to: [b.name] },
      { dev: c.name, to: [b.name] },
    ],
  });
  write('redirects2.json', { xdpctl: 1, redirects: [{ dev: a.name, to: [c.name] }] });
  write('none.json', { xdpctl: 1, redirects: [] });
  copyFileSync(objectFile('redirect_devmap'), files.file('user.bpf.o'));
}
