import { describe, expect, it } from 'vitest';

import { xdpctl } from '../support/command.ts';
import { createWorld } from '../support/world.ts';

describe('--debug', () => {
  it("shows libbpf's and the verifier's log on stderr, which is quiet without it", () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a, b } = world.veth({ namespace }, { namespace });
    const attach = (...options: string[]) =>
      xdpctl(['--netns', namespace, ...options, 'redirect', 'attach', a.name, '--to', b.name, '--replace']);
    const human = attach('--debug');
    expect(human.status).toBe(0);
    expect(human.stderr).toMatch(/^loading object from .*bpf\.o$/m);
    expect(human.stderr).toMatch(/BEGIN PROG LOAD LOG/);

    const json = attach('-d', '-j');
    expect(json.json()).toMatchObject({ ifname: a.name });
    expect(json.jsonErrors()).toContainEqual({ log: expect.stringMatching(/^loading object from/) });

    expect(attach().stderr).not.toMatch(/loading object/);
    expect(xdpctl(['--netns', namespace, 'redirect', 'detach', a.name]).status).toBe(0);
  });
});
