/**
 * Cheaper namespaces of modules. esbuild gives each module that is loaded on demand an object with a getter for each
 * export, and copies it to another such object for require(): in V8 a getter costs more than the function it leads to
 * (2 ms in `redirect attach`). Here the functions stay a plain object, which is what other parts get (parts.mjs), and
 * import() gets an object of values, made when it is asked for. Right as long as exports do not change after the module
 * is evaluated.
 */

const helpers = `var __exported = (module, all) => { module.all = all; };
var __all = ({ all }) => all;
var __namespace = (module) => {
  if (module.values === undefined) {
    module.values = {};
    for (const name in module.all) module.values[name] = module.all[name]();
  }
  return module.values;
};
`;

/** What esbuild does with such a namespace, by its name. */
const forms = [
  [(name) => `var ${name} = {};`, (name) => `var ${name} = {};`],
  [(name) => `__export(${name}, {`, (name) => `__exported(${name}, {`],
  [(name) => `__toCommonJS(${name})`, (name) => `__all(${name})`],
  [(name) => `(), ${name}))`, (name) => `(), __namespace(${name})))`],
];

/**
 * @param {string} text that esbuild has made
 * @returns {string}
 */
export function withCheapNamespaces(text) {
  const namespaces = [...text.matchAll(/^var (\w+_exports\d*) = \{\};$/gm)].map(([, name]) => name);
  let cheap = text;
  for (const name of namespaces) {
    const uses = count(text, new RegExp(`(?<![\\w$])${name}(?![\\w$])`, 'g'));
    const known = forms.reduce((sum, [form]) => sum + text.split(form(name)).length - 1, 0);
    // A library's is used in other ways too, and stays as it is.
    if (uses === known) for (const [form, swapped] of forms) cheap = cheap.replaceAll(form(name), swapped(name));
  }
  return `${helpers}${cheap}`;
}

function count(text, pattern) {
  return [...text.matchAll(pattern)].length;
}
