import type { Hint } from '../domain/errors.ts';

/*
 * Words of bpftool and ip that are not ours, with what to type instead: whoever comes from there is not to look for them
 * in vain.
 */

const objects: Readonly<Record<string, Hint>> = {
  feature: ({ own }) =>
    `what the driver of an interface can do for XDP: ${own(['net', 'features'])}; the rest is for bpftool feature`,
  btf: 'that is for bpftool btf',
  cgroup: 'that is for bpftool cgroup',
  gen: 'that is for bpftool gen',
  iter: 'that is for bpftool iter',
  perf: 'that is for bpftool perf',
  struct_ops: 'that is for bpftool struct_ops',
  token: 'that is for bpftool token',
};

const attachment: Hint = ({ own }) =>
  `XDP programs are attached by: ${own(['net', 'attach', 'xdpdrv', 'PROG', 'dev', 'IF'])}; others by bpftool prog attach`;
const detachment: Hint = ({ own }) =>
  `XDP programs are taken off by: ${own(['net', 'detach', 'xdpdrv', 'dev', 'IF'])}; others by bpftool prog detach`;
const queue = 'queues and stacks are for bpftool map; xdpctl knows maps with keys';

const attach: Hint = ({ own }) => `a redirect is made by: ${own(['redirect', 'attach', 'DEV', '--to', 'DEV'])}`;
const detach: Hint = ({ own }) => `a redirect is taken away by: ${own(['redirect', 'detach', 'DEV'])}`;

const verbs: Readonly<Record<string, Readonly<Record<string, Hint>>>> = {
  map: {
    push: queue,
    pop: queue,
    enqueue: queue,
    dequeue: queue,
    event_pipe: 'perf event arrays are for bpftool map event_pipe',
  },
  prog: {
    attach: attachment,
    detach: detachment,
    dump: 'instructions are shown by bpftool prog dump xlated|jited PROG',
    profile: 'that is for bpftool prog profile',
    tracelog: 'that is for bpftool prog tracelog',
  },
  redirect: { add: attach, create: attach, set: attach, del: detach, delete: detach, remove: detach },
};

/** What to say of an object of bpftool's that is not ours; undefined for another word. */
export function bpftoolObject(word: string): Hint | undefined {
  return Object.hasOwn(objects, word) ? objects[word] : undefined;
}

/** The same for a verb. */
export function bpftoolVerb(object: string, word: string): Hint | undefined {
  const known = Object.hasOwn(verbs, object) ? verbs[object] : undefined;
  return known !== undefined && Object.hasOwn(known, word) ? known[word] : undefined;
}
