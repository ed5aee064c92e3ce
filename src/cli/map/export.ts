import { KernelRefusal, usageError } from '../../domain/errors.ts';
import { aMapOf } from '../../domain/map-type.ts';
import type { BpfMap } from '../../kernel/map.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { Warning } from '../../output/reporter.ts';
import { flag, type Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenMap } from './capabilities.ts';
import { entryTexts } from './document/entry-texts.ts';
import { Omissions } from './document/omissions.ts';
import { documentPieces } from './document/pieces.ts';
import { ProgramTexts } from './document/program-texts.ts';
import { checkTransferable, isDevmap } from './document/transferable.ts';

export const verb: Verb = {
  object: 'map',
  name: 'export',
  summary: 'print a map as a document that can be imported again',
  synopsis: ['MAP [--key-names]'],
  description: [
    'The document is JSON, with names instead of numbers that change from boot to boot: interfaces by name, programs by the path of a pin. It begins with the specification of the map; entries have a key and a value, integers where keys or values have 1, 2, 4 or 8 bytes, else bytes.',
    'What cannot be replayed is left out with a warning on stderr: an interface that is not in this network namespace, the sockets of an xskmap. A program without a pin is named by its name, with a warning: an import finds it only while it is loaded.',
    'A document that broke off ends with "complete": false, and cannot be imported.',
    'Maps whose values stand for other kernel objects (maps of maps, program arrays and the like) and maps that user space cannot read are exit 5.',
  ],
  arguments: [{ name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' }],
  options: [
    {
      name: 'key-names',
      description:
        'the keys are interfaces too, and are written by name: for maps whose key is the ifindex of the incoming interface',
    },
  ],
  json: 'the document, on one line: xdpctl (the version of the format), map (its specification), entries, complete',
  capabilities: toOpenMap,
  examples: [
    {
      command: 'xdpctl map export pinned forward',
      description: 'the map as a document',
      output: `
{
    "xdpctl": 1,
    "map": {"type":"devmap","name":"forward","bytes_key":4,"bytes_value":8,
            "max_entries":64,"flags":128},
    "entries": [
        {"key":0,"value":{"dev":"eth1"}}
    ],
    "complete": true
}`,
    },
    {
      command: 'xdpctl -j map export pinned cpus',
      description: 'on one line',
      output: `
{"xdpctl":1,"map":{"type":"cpumap","name":"cpus","bytes_key":4,"bytes_value":8,
 "max_entries":2,"flags":0},"entries":[{"key":0,"value":{"qsize":192}}],"complete":true}`,
    },
    {
      command: 'xdpctl map export pinned forward > forward.json',
      description: 'kept in a file, for map import',
    },
  ],
  async run(input, context): Promise<Outcome> {
    const words = new WordList(input.words);
    const handle = takeHandle(words, 'map');
    words.end();
    const map = context.maps.open(handle);
    const { typeName } = map.info;
    const keyNames = flag(input, 'key-names');
    if (keyNames && !isDevmap(typeName)) {
      throw usageError(`--key-names is for maps of interfaces, not for ${aMapOf(typeName ?? 'map of this type')}`);
    }
    const omissions = new Omissions();
    if (typeName === 'xskmap') {
      const warning = await socketWarning(map);
      return {
        kind: 'document',
        pieces: (dense) => documentPieces(map, undefined, omissions, dense),
        remarks: () => warning,
      };
    }
    checkTransferable(map);
    const programs = new ProgramTexts(omissions);
    const texts = entryTexts(map, { keyNames, programs, omissions });
    return {
      kind: 'document',
      pieces: (dense) => documentPieces(map, texts, omissions, dense),
      remarks: () => [...omissions.warnings(), ...programs.warnings],
    };
  },
};

/** Says which sockets a document of an xskmap does not have. */
async function socketWarning(map: BpfMap): Promise<Warning[]> {
  const why = 'a socket belongs to the process that made it, which has to enter it again';
  const { XskmapReader } = await import('../../kernel/xskmap-reader.ts');
  try {
    using reader = new XskmapReader(map);
    const keys = Array.from(reader.entries(), ({ key }) => key);
    return keys.length === 0 ? [] : [{ message: `the sockets at key ${keys.join(', ')} are left out: ${why}` }];
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error;
    return [{ message: `sockets are left out: ${why}` }];
  }
}
