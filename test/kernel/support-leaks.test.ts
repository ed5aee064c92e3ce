import { closeSync, openSync } from 'node:fs';

import { expect, test } from 'vitest';

import { PinFolder } from '../support/command.ts';
import { expectNothingNew, kernelState, newSince } from '../support/leaks.ts';
import { tool } from '../support/tool.ts';
import { createWorld } from '../support/world.ts';

test('each kind of leak is seen, and gone when it is mended', async () => {
  const before = kernelState();
  {
    using world = createWorld();
    using pins = new PinFolder();
    using fd = openDescriptor('/proc/self/ns/net');
    const namespace = world.namespace();
    const { a } = world.veth({}, { namespace });
    const pin = pins.pin('map');
    tool('bpftool', ['map', 'create', pin, ...'type array key 4 value 4 entries 1 name leak'.split(' ')]);

    const found = newSince(before);
    expect(found).toContain(`namespace ${namespace}`);
    expect(found).toContain(`interface ${a.name}`);
    expect(found).toContain(`pin ${pin}`);
    expect(found).toContainEqual(expect.stringMatching(/^map \d+ array leak$/));
    expect(found).toContainEqual(expect.stringMatching(new RegExp(`^descriptor ${fd.number} \\(net:`)));
    await expect(expectNothingNew(before, 0)).rejects.toThrow(`namespace ${namespace}`);
  }
  await expectNothingNew(before);
});

function openDescriptor(path: string): Disposable & { readonly number: number } {
  const number = openSync(path, 'r');
  return { number, [Symbol.dispose]: () => closeSync(number) };
}
