/**
 * Whether output is what a document shows: numbers and white space may differ, and `…` in the document stands for
 * whatever is left out.
 */
export function resembles(printed: string, shown: string): boolean {
  const [first = '', ...others] = shown.split('…').map(bare);
  const last = others.pop();
  let rest = bare(printed);
  if (last === undefined) return rest === first;
  if (!rest.startsWith(first)) return false;
  rest = rest.slice(first.length);
  for (const piece of others) {
    const at = rest.indexOf(piece);
    if (at === -1) return false;
    rest = rest.slice(at + piece.length);
  }
  return rest.endsWith(last);
}

function bare(text: string): string {
  return text.replaceAll(/0x[0-9a-f]+|[0-9]+(\.[0-9]+)?/gi, 'N').replaceAll(/\s+/g, '');
}
