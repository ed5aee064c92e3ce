import { catalogue, loadVerbs } from './catalogue.ts';
import { globalOptionSpecs } from './global-options.ts';
import { parseOptions } from './program.ts';

/**
 * Refuses an option that no verb has. For lines whose object or verb is unknown: of `--colour always map show` the option
 * is what is wrong, not the word behind it.
 *
 * @throws ToolError usage naming the option
 */
export async function refuseUnknownOptions(optionTokens: readonly string[]): Promise<void> {
  const verbs = (await Promise.all(catalogue.map(loadVerbs))).flat();
  const specs = [...globalOptionSpecs, ...verbs.flatMap(({ options }) => options ?? [])];
  const known = new Set(
    specs.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]),
  );
  for (const token of optionTokens) {
    const name = token.startsWith('--') ? token.replace(/=.*$/s, '') : token.slice(0, 2);
    if (!known.has(name)) parseOptions([token], []);
  }
}
