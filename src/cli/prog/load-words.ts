import type { ArgumentSpec } from '../verb.ts';

/** What `load` and `loadall` have in common. */
export const loadDescription: readonly string[] = [
  'With `map` an existing map takes the place of one of the file, which is named by its name there or by its position among all maps of the file, from 0. Type and sizes must be the same: a program that was made for values of 8 bytes would read beyond those of 4.',
  'With `pinmaps` the maps are pinned too, under the names that libbpf gives them: `.rodata` of router.bpf.o is `router_rodata`. A map that the file itself wants to be pinned (LIBBPF_PIN_BY_NAME) is taken from there, or pinned there as well.',
  'It is all or nothing: a pin that exists is never overwritten, and when one of the pins cannot be made those before it are removed. When the verifier refuses a program, its last lines are shown, and its whole log with --debug.',
  'The file is read and loaded by a process of its own, because a damaged file can make libbpf crash: that is an error then.',
];

export const loadArguments: readonly ArgumentSpec[] = [
  {
    name: 'TYPE',
    description: "what to load the programs as: xdp, xdp/devmap, xdp/cpumap, …; their sections' when absent",
  },
  { name: 'N', description: 'the position of the map among the maps of the file' },
  { name: 'NAME', description: 'the name of the map in the file' },
  { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
  { name: 'DIR', description: 'the directory of the pins of the maps, made when it is not there' },
];

export const loadCapabilities = 'CAP_BPF, and CAP_NET_ADMIN for XDP programs; CAP_SYS_ADMIN to mount bpffs';
