import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { type CommandResult, xdpctl } from '../support/command.ts';
import { Router } from '../support/router.ts';
import { toolJson } from '../support/tool.ts';

let router: Router;

beforeAll(() => {
  router = new Router();
});

afterAll(() => {
  router[Symbol.dispose]();
});

/** Tries what would be attached, as somebody who came by SSH to an address of the router, or from its console. */
function attach(words: readonly string[], connection?: string): CommandResult {
  const env = { SSH_CONNECTION: connection ?? '192.0.2.1 50000 198.51.100.250 22' };
  return xdpctl(['-j', '--netns', router.netns, 'redirect', 'attach', ...words, '--dry-run'], { env });
}

function ip(...words: string[]): void {
  router.tool('ip', ...words);
}

describe('redirect attach', () => {
  it('takes what nobody depends on without a remark', () => {
    const { a, b } = router;
    expect(attach([a.name, '--to', b.name])).toMatchObject({ status: 0, stderr: '' });
  });

  it.each([
    ['IPv4', '198.51.100.7/24', 'default via 198.51.100.1'],
    ['IPv6', '2001:db8::7/64', 'default via 2001:db8::1'],
    ['IPv4, by several ways', '198.51.100.7/24', 'default nexthop via 198.51.100.1 nexthop via 198.51.100.2'],
    ['another table', '198.51.100.7/24', 'default via 198.51.100.1 table 77'],
    ['half of all addresses', '198.51.100.7/24', '128.0.0.0/1 via 198.51.100.1'],
    ['all addresses of IPv6 that have been given out', '2001:db8::7/64', '2000::/3 via 2001:db8::1'],
  ])('refuses the device of the default route: %s', (_, address, route) => {
    const { a, b } = router;
    router.tool('sh', '-c', `echo 0 > /proc/sys/net/ipv6/conf/${a.name}/disable_ipv6`);
    const family = address.includes(':') ? ['-6'] : [];
    ip('addr', 'add', address, 'dev', a.name, ...(family.length > 0 ? ['nodad'] : []));
    onTestFinished(() => {
      ip('addr', 'flush', 'dev', a.name);
      router.tool('sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${a.name}/disable_ipv6`);
    });
    ip(...family, 'route', 'add', ...route.split(' '), ...(route.includes('nexthop') ? [] : ['dev', a.name]));
    const refused = attach([a.name, '--to', b.name]);
    expect(refused.status).toBe(1);
    expect(refused.jsonErrors()).toMatchObject([
      {
        error: {
          message: expect.stringContaining(`${a.name} carries the default route`),
          hint: expect.stringMatching(/--confirm.*--yes/),
        },
      },
    ]);
    for (const sure of [['--yes'], ['--confirm', '60s']])
      expect(attach([a.name, '--to', b.name, ...sure]).status).toBe(0);
    expect(attach([b.name, '--to', a.name]).status).toBe(0);
  });

  it.each(['1', '10'])(
    'refuses the device of a default route by nexthop objects, where only their id %s is told',
    (id) => {
      const { a, b } = router;
      ip('addr', 'add', '198.51.100.7/24', 'dev', a.name);
      router.tool('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/nexthop_compat_mode');
      onTestFinished(() => {
        ip('nexthop', 'flush');
        ip('addr', 'flush', 'dev', a.name);
        router.tool('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/nexthop_compat_mode');
      });
      ip('nexthop', 'add', 'id', '1', 'via', '198.51.100.1', 'dev', a.name);
      ip('nexthop', 'add', 'id', '2', 'via', '198.51.100.2', 'dev', a.name);
      ip('nexthop', 'add', 'id', '10', 'group', '2/1');
      ip('route', 'add', 'default', 'nhid', id);
      const refused = attach([a.name, '--to', b.name]);
      expect(refused).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(`${a.name} carries the default route`) as string,
      });
      expect(attach([b.name, '--to', a.name]).status).toBe(0);
    },
  );

  it('refuses the device of the SSH connection, however its address is spelled', () => {
    const { a, b } = router;
    router.tool('sh', '-c', `echo 0 > /proc/sys/net/ipv6/conf/${a.name}/disable_ipv6`);
    ip('addr', 'add', '198.51.100.7/24', 'dev', a.name);
    ip('addr', 'add', '2001:db8::a0:7/64', 'dev', a.name, 'nodad');
    onTestFinished(() => {
      ip('addr', 'flush', 'dev', a.name);
      router.tool('sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${a.name}/disable_ipv6`);
    });
    for (const server of ['198.51.100.7', '2001:db8::a0:7', '2001:0DB8:0:0::00a0:7']) {
      const refused = attach([a.name, '--to', b.name], `192.0.2.1 50000 ${server} 22`);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('the address of your SSH connection');
      expect(attach([b.name, '--to', a.name], `192.0.2.1 50000 ${server} 22`).status).toBe(0);
    }
    const other = attach([a.name, '--to', b.name]);
    expect(other.status).toBe(0);
    expect(other.jsonErrors()).toMatchObject([
      { warning: { message: expect.stringContaining(`${a.name} has the address 198.51.100.7/24`) } },
      { warning: { message: expect.stringContaining('2001:db8::a0:7/64') } },
    ]);
  });

  it.each([
    ['a bridge', (a: string): string[] => ['link add up0 type bridge', `link set ${a} master up0`]],
    ['a macvlan', (a: string): string[] => [`link add link ${a} name up0 type macvlan`]],
    [
      'a macvlan on a bridge',
      (a: string): string[] => [
        'link add br1 type bridge',
        `link set ${a} master br1`,
        'link set br1 up',
        'link add link br1 name up0 type macvlan',
      ],
    ],
  ])('minds what gets its frames by the device: %s', (_, commands) => {
    const { a, b } = router;
    onTestFinished(() => {
      for (const name of ['up0', 'br1']) router.tool('sh', '-c', `ip link del ${name} 2>/dev/null || true`);
    });
    for (const command of commands(a.name)) ip(...command.split(' '));
    ip('link', 'set', 'up0', 'up');
    ip('addr', 'add', '198.51.100.7/24', 'dev', 'up0');
    ip('route', 'add', 'default', 'via', '198.51.100.1');
    const refused = attach([a.name, '--to', b.name]);
    expect({ status: refused.status, stderr: refused.stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining(`up0, which gets its frames by ${a.name}, carries the default route`),
    });
  });

  it('does not take the peer of a veth for something on top of it', () => {
    const { a, b, world, netns } = router;
    const pair = world.veth({ namespace: netns }, { namespace: netns });
    ip('addr', 'add', '198.51.100.7/24', 'dev', pair.b.name);
    ip('route', 'add', 'default', 'via', '198.51.100.1');
    onTestFinished(() => ip('link', 'del', pair.a.name));
    expect(attach([pair.a.name, '--to', b.name])).toMatchObject({ status: 0, stderr: '' });
    expect(attach([pair.b.name, '--to', a.name]).status).toBe(1);
  });
});

describe('redirect attach over what others have attached', () => {
  it('says by which link, and that there will be a gap', () => {
    const { a, b } = router;
    const made = xdpctl([
      '-j',
      '--netns',
      router.netns,
      'redirect',
      'attach',
      a.name,
      '--to',
      b.name,
      '--link',
    ]).json() as { link_id: number };
    onTestFinished(() => void xdpctl(['--netns', router.netns, 'redirect', 'detach', a.name]));
    const refused = attach([a.name, '--to', b.name]);
    expect(refused.status).toBe(6);
    expect(refused.stderr).toContain(`by link ${made.link_id}`);
    const replaced = attach([a.name, '--to', b.name, '--replace']);
    expect(replaced.status).toBe(0);
    expect(replaced.stderr).toContain('in between frames go to the stack');
    expect(attach([a.name, '--to', b.name, '--replace', '--link']).stderr).toBe('');
    expect(toolJson('bpftool', ['-j', 'link', 'show', 'id', String(made.link_id)])).toBeDefined();
  });
});
