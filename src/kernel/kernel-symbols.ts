import { readFileSync } from 'node:fs';

interface Symbols {
  /** Where functions begin, in ascending order. */
  readonly starts: BigUint64Array;
  readonly names: readonly string[];
}

let symbols: Symbols | undefined;

/**
 * The kernel function that an address is in; undefined for addresses outside of functions, and where the kernel does not
 * show its addresses (kptr_restrict, CAP_SYSLOG). The first call reads all of /proc/kallsyms, which takes 0.1 s.
 */
export function kernelFunctionAt(address: bigint): string | undefined {
  symbols ??= symbolsIn(kallsyms());
  return functionAt(symbols, address);
}

function functionAt({ starts, names }: Symbols, address: bigint): string | undefined {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  // The compiler's parts of a function carry its name: `veth_xmit.cold`, `foo.isra.0`.
  return names[low - 1]?.replace(/\.(?:cold|isra|constprop|part)\b.*$/, '');
}

/** What looks functions up in the text of /proc/kallsyms. */
export function functionsIn(text: string): (address: bigint) => string | undefined {
  const found = symbolsIn(text);
  return (address) => functionAt(found, address);
}

function symbolsIn(text: string): Symbols {
  const found: [start: bigint, name: string][] = [];
  // `ffffffff8154a5d0 T dev_map_generic_redirect`, with a module's name behind a tab.
  for (const [, start, name = ''] of text.matchAll(/^([0-9a-f]+) [tTwW] ([^\s]+)/gm)) {
    const address = BigInt(`0x${start}`);
    if (address !== 0n) found.push([address, name]);
  }
  found.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return { starts: BigUint64Array.from(found, ([start]) => start), names: found.map(([, name]) => name) };
}

function kallsyms(): string {
  try {
    return readFileSync('/proc/kallsyms', 'latin1');
  } catch {
    return '';
  }
}
