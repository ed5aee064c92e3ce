import { checkCatalogue } from '../../domain/check-catalogue.ts';
import { dropCatalogue } from '../../domain/drop-catalogue.ts';
import type { Block, Section } from './blocks.ts';

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

const prog: ObjectProse = {
  description: [
    'Programs are named, loaded, pinned and run in the words of bpftool(8). A program lives as long as a pin, an attachment, an entry of a map or a process holds it.',
  ],
  sections: [
    {
      title: 'how programs are named',
      blocks: [
        {
          lines: ['PROG := id N | tag TAG | name NAME | pinned PATH | builtin NAME | NAME | /PATH'],
        },
        `A name or a tag that several programs have is an error that lists their ids. What comes with xdpctl is loaded when it is named: \`builtin pass\`.`,
        'The kernel tells nobody whether a program was loaded for devices, for the entries of devmaps (`SEC("xdp/devmap")`) or for those of cpumaps (`SEC("xdp/cpumap")`), but each goes only where it belongs: `net attach` and `prog run` refuse the last two, `map update` the first.',
      ],
    },
  ],
};

const net: ObjectProse = {
  description: [
    'What bpftool-net(8) does with XDP programs, in its words; programs of tc and others are not looked at. `net features` tells what the driver of an interface can do.',
  ],
  sections: [
    {
      title: 'modes',
      blocks: [
        'In native mode the driver runs the program before it makes a socket buffer of the frame; in generic mode the kernel runs it after that, for every driver, more slowly. A device has one or the other: the kernel does not change between them in one step. A frame that is redirected in native mode needs a target with ndo_xmit; generic mode needs nothing.',
      ],
    },
  ],
};

const link: ObjectProse = {
  description: [
    'A link attaches a program for as long as somebody holds the link: a process, or a pin. Whoever has attached a program by a link is protected from others who attach by netlink, as `net attach`, ip(8) and bpftool(8) do. `redirect attach --link` makes one.',
  ],
  sections: [],
};

const redirect: ObjectProse = {
  description: [
    'A redirect path is what leads frames from the interface where they arrive to where they leave: a program on the one interface, a map of targets, and the entries in it. `attach` makes all of that, or nothing; `detach` takes it away again.',
  ],
  sections: [
    {
      title: 'what the receiver needs',
      blocks: [
        'In native mode the target must be able to transmit redirected frames. A veth can while its peer, which may be in another network namespace, has GRO on or an XDP program: `ethtool -K PEER gro on`. Several drivers of NICs can only while the target has an XDP program itself. lo, bridges and most virtual devices never can. Generic mode needs nothing of that, and is slower.',
        'A redirect does not touch the frame: the receiver drops what is not for its MAC address, and a frame that waits for its checksum to be filled in by the sender (CHECKSUM_PARTIAL) arrives with a wrong one: `ethtool -K SENDER tx off`.',
      ],
    },
    {
      title: 'what is left in the kernel',
      blocks: [
        'For every device there is one directory below /sys/fs/bpf/xdpctl/, named by the inode of the network namespace and the ifindex. What it holds keeps the path alive, and can be used like any other pin, as in `map update pinned …/targets`:',
        ['prog, targets', 'the program that is attached, and the map it redirects through'],
        ['counters, config', 'what it counts, and how it was loaded; of programs that come with xdpctl'],
        ['link', 'the link that holds the program on the device, with `--link`'],
        ['egress/N', 'programs of ours in the entries of the map, with their counters'],
        ['maps/NAME', 'the maps of a program of your own'],
        ['object, program, map', 'symbolic links: where your program came from; how a map that is not ours was named'],
        ['device', 'a map by which the kernel tells that the device has gone'],
        'Changes are made under a lock. Everything is loaded, filled, checked and pinned in a directory beside these (its name ends with _pending, with `--confirm` with _trial) before the first device is switched over, in an order in which a command that is killed leaves either the old state or the new one. The next command that changes a redirect in that network namespace makes an end of what it finds: it finishes what had been switched over on all devices, and takes back the rest. What is left of devices that have gone is removed then as well.',
        'A program that nobody needs any more is freed by the kernel when the last pin and the last attachment are gone.',
      ],
    },
    {
      title: 'check codes',
      blocks: [
        'What redirect check finds has the codes of lost frames where frames are lost, see xdpctl-debug(8), and these:',
        ...checkCatalogue.map(({ code, summary, fix }): Block => [code, `${summary}. Fix: ${fix}.`]),
        '`xdpctl debug explain CODE` tells more of each.',
      ],
    },
  ],
};

const batch: ObjectProse = {
  description: [
    'The start of a command takes tens of milliseconds, a change of a map a microsecond: whoever makes many changes makes them in one batch. The syntax is that of `bpftool batch`.',
  ],
  sections: [],
};

const xsk: ObjectProse = {
  description: [
    'An AF_XDP socket is bound to one receive queue of one interface, and takes the frames that an XDP program redirects to it through an XSKMAP: at the key that is the number of the queue, as a rule. The entry lives as long as the socket, and the socket as long as its process.',
  ],
  sections: [
    {
      title: 'what makes a socket lose frames',
      blocks: [
        'Frames of another queue or interface than its own are lost, and none of its statistics counts them. So are frames that arrive before it is bound, while its fill ring is empty, while its RX ring is full, and frames that are larger than its buffers. The codes are those of xdpctl-debug(8).',
        'Every receive queue needs a socket of its own. What arrives at a queue without one goes where the program sends it, most often to the network stack, and a capture of queue 0 shows nothing of it: xsk show DEV lists such queues, and ethtool -L DEV combined 1 makes one of all.',
      ],
    },
    {
      title: 'what can be had of a socket',
      blocks: [
        'A frame that comes is counted once: as taken, as left unread at the end, or as lost for a reason. With --attach the number of redirected frames is the sum of them. What the NIC drops before the program runs is in none of these numbers: see ethtool -S.',
      ],
    },
  ],
};

const debug: ObjectProse = {
  description: [
    'When a redirected frame is lost, the program sees success, the sender sees success, and most losses move no counter. What tells of them are the tracepoints of the xdp group. `debug drops` counts those that this kernel has, joins the counts with the state of the system, and says why.',
  ],
  sections: [
    {
      title: 'drop codes',
      blocks: [
        'The frame was lost because:',
        ...dropCatalogue.map(({ code, summary, fix }): Block => [code, `${summary}. Fix: ${fix}.`]),
        '`xdpctl debug explain CODE` tells more of each.',
      ],
    },
    {
      title: 'what tracing costs',
      blocks: [
        'A tracepoint costs time for each frame that is lost, not for those that are delivered: the events of success are not counted. On a storm of lost frames bpftrace(8) leaves about a sixth of the packet rate; `--max-rate` ends the count when it becomes one.',
        'Programs of the classic kind, which bpftrace uses, miss events while another BPF program runs on the same CPU. Where that is noticed the counts are said to be too low.',
      ],
    },
  ],
};

const prose: Readonly<Record<string, ObjectProse>> = { map, prog, net, link, redirect, xsk, debug, batch };

/** The prose of an object; empty for those that need none. */
export function objectProse(name: string): ObjectProse {
  return prose[name] ?? { description: [], sections: [] };
}
