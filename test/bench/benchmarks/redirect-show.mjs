import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inFolder, median, seconds, xdpctl } from '../measure.mjs';

/** Interfaces with a program and a map of their own each. */
const PATHS = 256;

/** A host with many redirect paths: what one look at all of them costs. */
export function redirectShow({ smoke }) {
  const paths = smoke ? 8 : PATHS;
  makePaths(paths);
  const look = (...words) => {
    const command = xdpctl('redirect', ...words);
    seconds(command);
    return median(Array.from({ length: smoke ? 1 : 9 }, () => seconds(command)));
  };
  return [
    { what: `redirect show, ${paths} paths`, measured: look('show'), atMost: 1, unit: 's' },
    { what: `redirect check, ${paths} paths`, measured: look('check'), atMost: 1, unit: 's' },
    { what: `redirect show of one of ${paths}`, measured: look('show', 'many0'), atMost: 1, unit: 's' },
  ];
}

/** Each leads to the next one. */
function makePaths(count) {
  const names = Array.from({ length: count }, (_, index) => `many${index}`);
  const links = names.flatMap((name, index) => [
    `link add ${name} type veth peer name away${index}`,
    `link set ${name} up`,
    `link set away${index} up`,
  ]);
  run('ip', ['-batch', '-'], links.join('\n'));
  const redirects = names.map((dev, index) => ({ dev, to: [names[(index + 1) % count]] }));
  inFolder((folder) => {
    const file = join(folder, 'paths.json');
    writeFileSync(file, JSON.stringify({ xdpctl: 1, redirects }));
    const [program, ...words] = xdpctl('-q', 'redirect', 'apply', file, '--yes');
    run(program, words);
  });
}

function run(program, words, input = '') {
  const { status, error, stderr } = spawnSync(program, words, { input, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
}
