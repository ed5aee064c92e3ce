import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PinFolder, startXdpctl, xdpctl, xdpctlPath } from '../support/command.ts';
import { tool } from '../support/tool.ts';

let pins: PinFolder;

beforeEach(() => {
  pins = new PinFolder();
});

afterEach(() => pins[Symbol.dispose]());

/** A map whose dump takes long: every slot of an array has an entry, and `all` asks a devmap for every slot. */
const large = [
  ['entries', 'array', 'entries 4000000', []],
  ['rows', 'devmap', 'entries 1000000', ['all']],
] as const;

function createMap(type: string, words: string): string {
  const path = pins.pin('m');
  tool('bpftool', ['map', 'create', path, 'type', type, ...`key 4 value 4 ${words} name m`.split(' ')]);
  return path;
}

describe.each(large)('a dump of many %s', (_what, type, words, all) => {
  it.each(['-q', '-j', '-p'])('whose reader leaves early is no failure: %s', (form) => {
    const command = [xdpctlPath, form, 'map', 'dump', createMap(type, words), ...all].join(' ');
    // In a pipe like this the shell would tell a reader who left as exit 141, were it not handled.
    const output = tool('bash', ['-c', `${command} | head -c 100; echo "$PIPESTATUS"`]);
    expect(output).toMatch(/0\n$/);
    expect(output.length).toBe(102);
  });

  it.each(['-j', '-p'])('that is interrupted is valid JSON all the same: %s', async (form) => {
    await using command = startXdpctl([form, 'map', 'dump', createMap(type, words), ...all]);
    await command.untilStdout(/"key"/);
    const result = await command.stop('SIGINT');
    expect(result.signal).toBe('SIGINT');
    const list = result.json() as object[];
    const message = `interrupted: ${list.length} ${type === 'array' ? 'entries' : 'rows'} were printed`;
    expect(result.jsonErrors()).toEqual([{ warning: { message } }]);
    expect(list.length).toBeGreaterThan(0);
    expect(list.length).toBeLessThan(type === 'array' ? 4_000_000 : 1_000_000);
  });
});

it('maps that come and go while they are listed are no failure', async () => {
  const script = `while :; do
    for i in 0 1 2 3 4 5 6 7; do echo "map create $1/m$i type array key 4 value 4 entries 1 name m"; done | bpftool batch file -
    touch "$2" && rm $1/m*
  done`;
  const mark = `/tmp/${pins.path.split('/').at(-1)}`;
  const churn = spawn('sh', ['-c', script, 'sh', pins.path, mark], { stdio: 'ignore', detached: true });
  try {
    while (!existsSync(mark)) await sleep(5);
    for (let round = 0; round < 10; round += 1) {
      const result = xdpctl(['-j', 'map', 'show']);
      expect(result).toMatchObject({ status: 0, stderr: '' });
      expect(result.json()).toEqual(expect.any(Array));
    }
  } finally {
    if (churn.pid !== undefined) process.kill(-churn.pid, 'SIGKILL');
    tool('rm', ['-f', mark]);
  }
});
