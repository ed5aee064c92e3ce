import type { Section } from './blocks.ts';

/** What the manual says of an object besides the data of its verbs. */
export interface ObjectProse {
  readonly description: readonly string[];
  readonly sections: readonly Section[];
}

const map: ObjectProse = {
  description: [
    'A program redirects a frame with `bpf_redirect_map(&map, key, flags)`: the entry at the key says where to. A devmap leads to an interface, by an index of the array; a devmap_hash to an interface, by any 32-bit key, such as an ifindex; a cpumap to another CPU, whose number is the key; an xskmap to an AF_XDP socket, by the receive queue as a rule.',
    'Maps of these four types are written and shown in words. Every other type is shown, and, where the kernel lets user space read it, dumped, looked up and updated by bytes and integers.',
  ],
  sections: [
    {
      title: 'keys and values',
      blocks: [
        {
          lines: [
            'KEY   := [hex] BYTE... | INTEGER | [dev] IFNAME',
            'VALUE := [hex] BYTE... | [dev] IFNAME|IFINDEX [prog PROG]   devmap, devmap_hash',
            '                       | [qsize] N [prog PROG]              cpumap',
            '                       | fd N                               xskmap',
            '                       | INTEGER                            any other type',
          ],
        },
        'BYTE... is as many words as the key or the value has bytes, in the order in which they lie in memory. INTEGER is one word, which is written in the byte order of the machine: on little-endian ones `key 1 0 0 0` and `key 1` are the same.',
        'Words that begin with a digit are numbers. An interface whose name begins with one, or is a keyword, is named with `dev`: `dev 5`, `dev any`. Only the keys of devmaps can be interfaces; what is meant is the ifindex.',
        'A PROG in an entry runs for the frames that leave through it. It must have been loaded for that: `SEC("xdp/devmap")` or `SEC("xdp/cpumap")`; and the map must have values of 8 bytes.',
      ],
    },
    {
      title: 'what the kernel does with entries',
      blocks: [
        'A devmap and a devmap_hash accept targets that cannot receive. A frame that is redirected to one is lost: to lo, to an interface that is down, to a veth whose peer has neither an XDP program nor GRO.',
        'The kernel removes the entry of a device that is unregistered or moves to another network namespace, and the entry of an AF_XDP socket that is closed.',
        'Writing an entry of a cpumap starts a kernel thread, which takes some 70 microseconds.',
      ],
    },
  ],
};

const prose: Readonly<Record<string, ObjectProse>> = { map };

/** The prose of an object; empty for those that need none. */
export function objectProse(name: string): ObjectProse {
  return prose[name] ?? { description: [], sections: [] };
}
