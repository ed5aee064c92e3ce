import type { Section } from './blocks.ts';

/*
 * What the manual says of the tool as a whole and that is not in the data of any verb.
 */

export function introduction(objects: readonly string[]): Section {
  const bpftoolObjects = ['map', 'prog', 'net', 'link', 'batch'].filter((name) => objects.includes(name));
  const ownObjects = ['redirect', 'xsk', 'debug'].filter((name) => objects.includes(name));
  return {
    title: 'description',
    blocks: [
      'xdpctl manages XDP redirect in the Linux kernel: the maps through which programs redirect (devmap, devmap_hash, cpumap, xskmap), the programs, AF_XDP sockets, and above all the frames that are lost on the way without a word.',
      `The objects ${list(bpftoolObjects)} speak the words of bpftool(8): a command line of it that is about XDP redirect runs unchanged, and takes names where bpftool takes bytes. The objects ${list(ownObjects)} are new: an interface, then long options.`,
      'An object that has a list shows it when it is named alone. `xdpctl OBJECT help` and `xdpctl OBJECT VERB --help` print help on stdout. Objects and verbs are never abbreviated; a wrong word gets the nearest right one as a hint.',
    ],
  };
}

export const handles: Section = {
  title: 'handles',
  blocks: [
    { lines: ['MAP  := id N | name NAME | pinned PATH | NAME | /PATH'] },
    {
      lines: ['PROG := id N | tag TAG | name NAME | pinned PATH | NAME | /PATH | builtin NAME'],
    },
    'A bare word is a name, unless it begins with a slash: then it is the path of a pin. As the value of an option a handle is one word: `id:5`, `name:foo`, `builtin:pass`, a path or a bare name.',
    'A name or tag that several objects have is an error that lists their ids (exit 2). A builtin program is one of those that come with xdpctl: `pass` lets every frame pass, `egress_devmap` and `egress_cpumap` are for the entries of maps.',
    'A PIN without a slash lies directly under the mount point of bpffs: `forward` is /sys/fs/bpf/forward, whatever the working directory. A relative path with a slash is refused. A FILE is an ordinary file.',
  ],
};

export const streams: Section = {
  title: 'streams and json',
  blocks: [
    'Data goes to stdout, everything else to stderr. Tables are ruled on a terminal and plain elsewhere; colour is decided by `--color`, else NO_COLOR, else FORCE_COLOR, else TERM=dumb, else by whether the stream is a terminal. Control characters in names that come from outside are shown as escapes. A reader that goes away (EPIPE) ends the output and is no error; it never stops a change half way.',
    'With `--json` a list verb prints an array (`[]` when it is empty, with exit 0), a verb about one thing prints an object, and a verb that has nothing to say prints nothing. What is printed is always valid JSON: a dump that fails half way closes its array, and the error goes to stderr. Output that is repeated while the command runs is one object a line.',
    'Whole numbers up to 2^53 - 1 are numbers, larger ones are decimal strings. Keys that bpftool has keep its names, types and encodings (id, type, name, flags, bytes_key, bytes_value, max_entries, bytes_memlock, frozen, pinned, pids; key and value as arrays of strings like 0x0a); what xdpctl adds stands beside them, decoded data under formatted. A name that cannot be found out is left out, the number stays.',
    'An error is two lines for people, `error:` and `hint:`. With `--json` it is one object on stderr, and stdout is empty unless the output had begun:',
    {
      lines: [
        '{"error":{"exit":3,"message":"there is no pin /sys/fs/bpf/fw","errno":2,',
        '          "errnoName":"ENOENT","operation":"pin get"}}',
      ],
    },
    'Keys without a value are left out. A warning is an object with the key warning, which has a message and perhaps a hint. With `--json` every line of stderr is such an object, except the one that begins with `ready:`, which commands that keep running print as soon as the kernel side is in place.',
    'The shape of every verb is in its manual page, and as a JSON Schema in the package: dist/schema/OBJECT-VERB.json, error.json, warning.json. Keys may be added in later versions.',
    'A command that is printed to be typed is quoted for the shell; an interface may be called `$(id)` or `a;b`.',
  ],
};

export const environment: Section = {
  title: 'environment',
  blocks: [
    ['NO_COLOR', 'when not empty: no colour, unless `--color` says otherwise'],
    ['FORCE_COLOR', 'when not empty: colour also where stdout is no terminal; 0 means none'],
    ['TERM', 'dumb: no colour'],
    ['PATH', 'where bpftrace(8) and perf(1) are looked for'],
    [
      'NODE_EXTRA_CA_CERTS',
      'is of no use to xdpctl, but makes Node 20 start 27 ms later: unset it where many short commands run',
    ],
  ],
};

export const capabilityRules: Section = {
  title: 'capabilities',
  blocks: [
    'Root has them all. Without CAP_SYS_ADMIN, what counts is the permission to open the pin: a map that is named by its pin is read and written with no capability at all, by whoever may search the directory and open the file. Names and ids take CAP_SYS_ADMIN, because the kernel gives descriptors by id to nobody else; so does `--netns`. When something is missing the message names it (exit 4).',
  ],
};

export const namespaces: Section = {
  title: 'network namespaces',
  blocks: [
    'An ifindex means something only in one network namespace. Names and indexes of interfaces are resolved in the namespace of the command, or in the one that `--netns` gives: a name that ip-netns(8) knows, a process id, or a path. Pins stay those of the caller.',
    'This is not so under `ip netns exec`, which mounts /sys anew: bpffs is gone there, and a pin made in one that is mounted there vanishes with the command. xdpctl refuses to make one (exit 1), and to say what of the redirects there is its own. `nsenter --net=/run/netns/NAME` leaves the mounts alone.',
    'A devmap keeps the device, not its number, and its entry goes on working whatever namespace the map is looked at from. But all that can be read of it is an ifindex: a map that was filled in another namespace is shown with the names that its numbers happen to have in this one, so name the namespace with `--netns`. The kernel removes the entry when its device is unregistered or moves to another namespace.',
  ],
};

export const signals: Section = {
  title: 'signals',
  blocks: [
    'SIGINT, SIGTERM and SIGHUP end a command that keeps running in order: it prints its summary, takes out what it put into the kernel, and exits with 0, or with 10 where `--exit-code` was given and there were findings. A second signal ends it at once; the next run recognises what that left, and sweeps it away.',
    'Any other command stops between two steps, says how far it came, and dies of the signal (a shell shows 130 or 143).',
  ],
};

export const files: Section = {
  title: 'files',
  blocks: [
    [
      '/sys/fs/bpf',
      'where pins lie. Mounted when it is not, by verbs that pin, unless `--nomount` is given; only there, and only in the mount namespace of process 1',
    ],
    ['/run/netns/NAME', 'the namespaces that `--netns NAME` means'],
    ['/proc/PID/fdinfo', 'tells which processes hold a map'],
    ['/sys/kernel/tracing/events/xdp', 'the tracepoints that this kernel has'],
    ['libbpf.so.1', 'libbpf 1.0 or later, which is loaded when it is first needed'],
  ],
};

export const differences: Section = {
  title: 'differences from bpftool',
  blocks: [
    'A command line of bpftool(8) about XDP redirect runs unchanged, with these exceptions:',
    [
      'abbreviated words',
      '`map s` or `map dump p /sys/fs/bpf/m` are exit 2: objects, verbs and keywords are typed in full',
    ],
    [
      'ambiguous names',
      'a name that several maps or programs have is exit 2 everywhere, with their ids; bpftool shows and dumps them all',
    ],
    [
      'octal numbers',
      '`010` is exit 2, because it is 8 to C programs and 10 to people; decimal and 0x forms are taken, and `00` to `07` mean the same in both',
    ],
    [
      'relative pin paths',
      '`m` is /sys/fs/bpf/m, not ./m; `dir/m` is exit 2, because a pin must not depend on the working directory',
    ],
    [
      'devices that run programs themselves',
      '`offload_dev` (`dev`), `xdpmeta_dev` and `autoattach` of bpftool prog load and map create are exit 2, with what to type instead: what runs on a card redirects nothing',
    ],
    'What bpftool takes silently is refused with a reason (exit 2, nothing is changed): a byte over 255, a number over its width, a negative one, an empty word, words that are left over, a key outside the map, ifindex 0 or qsize 0, a name of more than 15 characters, a directory that is no bpffs.',
    'What differs in results: help goes to stdout; errors go to stderr, also with `--json`; a missing entry is exit 3 and prints nothing on stdout; `exist` and `noexist` mean what they say for all four types; `map dump` leaves empty slots out unless `all` follows; the entries of an xskmap can be read; the shape of JSON does not depend on how many things match.',
  ],
};

/** Names as a list in a sentence. */
function list(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter((part) => part !== '').join(' and ');
}
