/** Words of the two frame scripts → numbers. */
import { parseArgs } from 'node:util';

/** Ends the script: what is wrong, on stderr. @param {string} message */
export function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

/**
 * The number, or the end of the script.
 * @param {string} option
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
export function wholeNumber(option, text, least, most) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most)
    fail(`--${option} ${text}: want a whole number from ${least} to ${most}`);
  return number;
}

/**
 * The one positional word, the interface, and the options as strings.
 * @param {string} usage printed when the words do not fit
 * @param {Record<string, { type: 'string', default?: string }>} options
 */
export function readWords(usage, options) {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length === 1) return { device: positionals[0], ...values };
  } catch (error) {
    console.error(`error: ${error.message}`);
  }
  return fail(`usage: ${usage}`);
}
