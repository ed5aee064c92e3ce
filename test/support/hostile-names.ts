import { shellQuote } from '../../src/domain/shell-quote.ts';
import { tool } from './tool.ts';

/**
 * Names that the kernel allows an interface to have (dev_valid_name: at most 15 bytes, no `/`, `:` or white space). Where
 * one is run as a command it makes a file `C`.
 */
export const hostileNames: readonly string[] = [
  'a;>C',
  '$(>C)',
  '`>C`',
  'a&>C|b',
  '"\';>C;\'"',
  "\\';>C;#",
  'a\\',
  '\u001b]0;x\u0007',
  '\u001b[2J',
  '\u009b2J',
  '\udc9b2J',
  '\udcff\udcfe;>C',
  '\u202egnp.exe',
  '\ufeffeth0',
  'a\u200bb',
  '漢字漢字漢',
  '--help',
  '-j',
  '\\n\\x1b[2J',
  '!!',
  '~',
  '=ls',
  '*?[a]{a,b}',
  '<b>#x',
  '123456789012345',
  '5',
  'any',
  'hex',
  'help',
  '__proto__',
];

/** Makes a veth pair in a namespace; ip cannot be given all names through Node, which has them encoded as UTF-8. */
export function addPair(namespace: string, name: string, peer: string): void {
  const words = ['ip', '-n', namespace, 'link', 'add', 'name', name, 'type', 'veth', 'peer', 'name', peer];
  tool('bash', ['-c', words.map(shellQuote).join(' ')]);
}
