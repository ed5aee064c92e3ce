/**
 * Cheaper namespaces of modules. esbuild gives each module that is loaded on demand an object with a getter for each
 * export, and copies it to another such object for require(): V8 takes longer to make them than to run the modules (2 ms
 * in `redirect attach`). Here an object of functions, made when it is asked for, is what other parts get (parts.mjs), and
 * import() gets one of values. Right as long as exports do not change after the module is evaluated.
 */

const helpers = `var __all = (module) => module.all();
var __namespace = (module) => {
  if (module.values === undefined) {
    const all = module.all();
    module.values = {};
    for (const name in all) module.values[name] = all[name]();
  }
  return module.values;
};
`;

/** A function by the name of its file: to V8 each name is a shape of its own. */
const initialiser = /__esm\(\{\n {2}"[^"\n]+"\(\) \{/g;

/**
 * @param {string} text that esbuild has made
 * @returns {string}
 */
export function withCheapNamespaces(text) {
  const namespaces = [...text.matchAll(/^var (\w+_exports\d*) = \{\};$/gm)].map(([, name]) => name);
  return helpers + namespaces.reduce(withCheapNamespace, text.replaceAll(initialiser, '__esm({\n  module() {'));
}

/** What esbuild does with the namespace of such a name, and what is done instead. A library's is used in other ways too. */
function withCheapNamespace(text, name) {
  const swaps = [
    [new RegExp(`var ${name} = \\{\\};`, 'g'), `var ${name} = {};`],
    [new RegExp(`__export\\(${name}, (\\{[^{}]*\\})\\);`, 'g'), `${name}.all = () => ($1);`],
    [new RegExp(`__toCommonJS\\(${name}\\)`, 'g'), `__all(${name})`],
    [new RegExp(`\\(\\), ${name}\\)\\)`, 'g'), `(), __namespace(${name})))`],
  ];
  const uses = count(text, new RegExp(`(?<![\\w$])${name}(?![\\w$])`, 'g'));
  const known = swaps.reduce((sum, [form]) => sum + count(text, form), 0);
  return uses === known ? swaps.reduce((changed, [form, swap]) => changed.replaceAll(form, swap), text) : text;
}

function count(text, pattern) {
  return [...text.matchAll(pattern)].length;
}
