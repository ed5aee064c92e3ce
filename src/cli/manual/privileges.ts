/** What a command was measured to need, each capability in lower case and without CAP_. */
export interface Privilege {
  readonly words: string;
  /** What root needs that has no other capability. */
  readonly root: readonly string[];
  /** What another user needs, who owns nothing of what the command works on; undefined where nothing is enough. */
  readonly other?: readonly string[];
  /** Without these it does less, and says so. */
  readonly more?: readonly string[];
}

/** Measured: `npm run privileges` writes this anew. */
export const privileges: readonly Privilege[] = [
  { words: 'map show MAP', root: [], other: ['dac_override'] },
  { words: 'map dump MAP', root: [], other: ['dac_override'] },
  {
    words: 'map dump XSKMAP',
    root: ['bpf', 'net_admin'],
    other: ['bpf', 'dac_override', 'net_admin'],
    more: ['perfmon'],
  },
  { words: 'map lookup', root: [], other: ['dac_override'] },
  { words: 'map update', root: [], other: ['dac_override'] },
  { words: 'map delete', root: [], other: ['dac_override'] },
  { words: 'map getnext', root: [], other: ['dac_override'] },
  { words: 'map export', root: [], other: ['dac_override'] },
  { words: 'map import', root: [], other: ['dac_override'] },
  { words: 'map pin', root: [], other: ['dac_override'] },
  { words: 'map unpin', root: [], other: ['dac_override', 'fowner'] },
  { words: 'map freeze', root: [], other: ['dac_override'] },
  { words: 'map show', root: ['sys_admin'], other: ['sys_admin'] },
  { words: 'map dump name NAME', root: ['sys_admin'], other: ['sys_admin'] },
  { words: 'map create (cpumap)', root: ['bpf'], other: ['bpf'] },
  { words: 'map create (devmap)', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'map create (devmap_hash)', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'map create (xskmap)', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'prog show PROG', root: [], other: ['dac_override'] },
  { words: 'prog show', root: ['sys_admin'], other: ['sys_admin'] },
  { words: 'prog show name NAME', root: ['sys_admin'], other: ['sys_admin'] },
  { words: 'prog load', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'prog loadall', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'prog pin', root: [], other: ['dac_override'] },
  { words: 'prog unpin', root: [], other: ['dac_override', 'fowner'] },
  { words: 'prog run', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'net show', root: [], other: [] },
  { words: 'net features', root: [], other: [] },
  { words: 'net attach builtin', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'net attach pinned', root: ['net_admin'], other: ['dac_override', 'net_admin'] },
  { words: 'net detach', root: ['net_admin'], other: ['net_admin'] },
  { words: 'link show LINK', root: [], other: ['dac_override'] },
  { words: 'link show', root: ['sys_admin'], other: ['sys_admin'] },
  { words: 'link pin', root: [], other: ['dac_override'] },
  { words: 'link detach', root: [], other: ['dac_override'] },
  { words: 'batch', root: [], other: ['dac_override'] },
  { words: 'redirect attach --to', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'redirect attach --cpus', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'redirect attach --xsk', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'redirect attach --link', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'redirect attach --replace', root: ['bpf', 'net_admin'], other: ['bpf', 'dac_override', 'net_admin'] },
  { words: 'redirect detach', root: ['bpf', 'net_admin'], other: ['bpf', 'dac_override', 'net_admin'] },
  { words: 'redirect apply', root: ['bpf', 'net_admin'], other: ['bpf', 'net_admin'] },
  { words: 'redirect diff', root: [], other: ['dac_override'] },
  { words: 'redirect export', root: [], other: ['dac_override'] },
  { words: 'redirect stats', root: [], other: ['dac_override'] },
  { words: 'redirect show', root: ['sys_admin'], other: ['sys_admin'] },
  { words: 'redirect check', root: ['sys_admin'], other: ['sys_admin'] },
  { words: 'redirect test', root: ['sys_admin'], other: ['dac_override', 'sys_admin'] },
  { words: 'xsk bind --attach', root: ['bpf', 'net_admin', 'net_raw'], other: ['bpf', 'net_admin', 'net_raw'] },
  {
    words: 'xsk bind --write',
    root: ['bpf', 'net_admin', 'net_raw'],
    other: ['bpf', 'dac_override', 'net_admin', 'net_raw'],
  },
  {
    words: 'xsk bind --map',
    root: ['bpf', 'net_admin', 'net_raw'],
    other: ['bpf', 'dac_override', 'net_admin', 'net_raw'],
  },
  { words: 'xsk show', root: [], other: [], more: ['sys_admin'] },
  { words: 'debug drops --via builtin', root: ['bpf', 'perfmon'], other: ['bpf', 'perfmon'], more: ['sys_admin'] },
  { words: 'debug drops --via bpftrace', root: ['sys_admin'] },
  { words: 'debug drops --via perf', root: ['perfmon'], other: ['dac_read_search', 'perfmon'], more: ['sys_admin'] },
  { words: 'debug events --via builtin', root: ['bpf', 'perfmon'], other: ['bpf', 'perfmon'] },
  { words: 'debug events --via bpftrace', root: ['sys_admin'] },
  { words: 'debug events --via perf', root: ['perfmon'], other: ['dac_read_search', 'perfmon'] },
  { words: 'debug record', root: ['perfmon'], other: ['dac_read_search', 'perfmon'] },
  { words: 'debug explain', root: [], other: [] },
  { words: 'any with --netns', root: ['sys_admin'], other: ['dac_override', 'sys_admin'] },
];
