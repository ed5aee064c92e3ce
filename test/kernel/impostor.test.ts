import { expect, it } from 'vitest';

import { compileBpf } from '../support/clang.ts';
import { PinFolder } from '../support/command.ts';
import { runHere } from '../support/run-here.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { createWorld } from '../support/world.ts';

it('a program with the names and shapes of ours, and nonsense in its data, is shown as what it says', async () => {
  using world = createWorld();
  using folder = new TemporaryFolder();
  using pins = new PinFolder();
  const namespace = world.namespace();
  const { a, b } = world.veth({ namespace }, { namespace });
  // struct cpumap_config of 0xffffffff CPUs.
  const file = compileBpf(
    folder.path,
    'redirect',
    `const volatile __u32 config[1028] = { [0 ... 1027] = 0xffffffff };
struct { __uint(type, BPF_MAP_TYPE_CPUMAP); __uint(max_entries, 4); __type(key, __u32); __type(value, __u32); } cpus SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __uint(value_size, 24); } counters SEC(".maps");
SEC("xdp") int redirect(struct xdp_md *ctx)
{ __u32 key = 0; return bpf_map_lookup_elem(&counters, &key) ? bpf_redirect_map(&cpus, config[5], 0) : 1; }`,
  );
  const run = (...words: readonly string[]): ReturnType<typeof runHere> => runHere('--netns', namespace, ...words);
  expect(await run('prog', 'load', file, pins.pin('p'))).toMatchObject({ status: 0, stderr: '' });
  expect(await run('net', 'attach', 'xdp', pins.pin('p'), 'dev', a.name)).toMatchObject({ status: 0 });
  for (const words of [['show'], ['check'], ['stats']]) {
    expect(await run('redirect', ...words)).toMatchObject({ status: 0, stderr: '' });
  }
  expect(await run('redirect', 'attach', a.name, '--to', b.name)).toMatchObject({ status: 6 });
  expect(await run('redirect', 'detach', a.name)).toMatchObject({ status: 6 });
});
