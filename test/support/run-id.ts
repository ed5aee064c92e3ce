import { randomInt } from 'node:crypto';

/** Where the global setup leaves the run's id for the test processes and the commands they start. */
export const runVariable = 'XDPCTL_TEST_RUN';

/** Random lower-case letters and digits: names that nobody else on this machine uses. */
export function randomWord(length: number): string {
  return Array.from({ length }, () => randomInt(36).toString(36)).join('');
}

const ownRun = randomWord(4);

/** What the name of every fixture of this run begins with, and no name of another run. */
export function runPrefix(): string {
  return `xt${process.env[runVariable] ?? ownRun}`;
}

/** A new name for a fixture, 14 characters: short enough for an interface, and never in use. */
export function fixtureName(): string {
  return `${runPrefix()}${randomWord(8)}`;
}
