/**
 * `npm run losses`: loses frames in every way that can be made here, one after the other, and writes into README.md
 * beside this file what each backend of `debug drops`, and each recipe of the kernel's redirect.rst, shows of it. Takes some
 * minutes; other XDP traffic on the machine makes it try again.
 */
import { register } from 'node:module';

import { setup } from '../../bin/dev/setup.mjs';

if (process.argv.length > 2) {
  console.error('usage: npm run losses');
  process.exit(2);
}
if (process.getuid() !== 0) {
  console.error('error: frames are lost in network namespaces, which takes root');
  process.exit(1);
}
setup({ for: 'test' });
register('../../bin/dev/typescript-hooks.mjs', import.meta.url);
const { default: prepare } = await import('../support/setup/kernel.ts');
const { writeLosses } = await import('./losses/write.ts');

const tidyUp = prepare();
try {
  process.exitCode = (await writeLosses()) ? 0 : 1;
} finally {
  await tidyUp?.();
}
