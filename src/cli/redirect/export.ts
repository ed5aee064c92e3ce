import { DOCUMENT_VERSION, leadsSomewhere, wishOf } from '../../domain/path-document.ts';
import type { PathWish } from '../../domain/path-wish.ts';
import { jsonText } from '../../output/json.ts';
import type { Outcome, Remark } from '../../output/outcome.ts';
import type { Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { readableStore } from './store.ts';
import { occupiedDevices, pinnedHandles } from './survey.ts';

export const verb: Verb = {
  object: 'redirect',
  name: 'export',
  summary: 'print the redirects there are as a document that can be applied again',
  synopsis: [''],
  description: [
    'The document is JSON and declares each path that redirect attach or redirect apply made in this network namespace, as it is now: interfaces by name, programs and maps by the path of a pin. What is so by default is left out.',
    'An entry whose interface is in another network namespace is left out with a warning, and so is a path that has no other: redirect apply --prune of the document takes such a path away. A program or map without a pin is named by its id, with a warning: that id means nothing after a reboot. Paths of other tools are not in the document.',
  ],
  json: 'the document, on one line: xdpctl (the version of the format) and redirects',
  capabilities:
    'CAP_SYS_ADMIN with --netns, and where the program of an entry has to be found; else the permission to read the pins',
  examples: [
    {
      command: 'xdpctl redirect export',
      description: 'what is there, as a document',
      given: 'attached',
      output: `
{
    "xdpctl": 1,
    "redirects": [
        {"dev":"eth0","to":["eth1"]}
    ]
}`,
    },
    {
      command: 'xdpctl -j redirect export',
      description: 'on one line; nothing is there',
      output: `
{"xdpctl":1,"redirects":[]}`,
    },
    {
      command: 'xdpctl redirect export > redirects.json',
      description: 'kept in a file, for redirect apply',
      given: 'attached',
    },
  ],
  run({ words: list }): Outcome {
    new WordList(list).end();
    const store = readableStore();
    const remarks: Remark[] = [];
    const wishes = occupiedDevices(store, pinnedHandles(store)).flatMap(({ device, occupant: { own } }) => {
      if (own === undefined) return [];
      const wish = wishOf(own.path, (reason) => remarks.push({ message: `${device.ifname}: ${reason}` }));
      if (leadsSomewhere(wish)) return [wish];
      remarks.push({
        message: `${device.ifname} has no target, and is left out: apply --prune of this document detaches it`,
      });
      return [];
    });
    return { kind: 'document', pieces: (dense) => pieces(wishes, dense), remarks: () => remarks };
  },
};

function* pieces(wishes: readonly PathWish[], dense: boolean): Generator<string> {
  const texts = wishes.map((wish) => jsonText(wish, false));
  if (dense || texts.length === 0) {
    yield dense
      ? `{"xdpctl":${DOCUMENT_VERSION},"redirects":[${texts.join(',')}]}`
      : `{\n    "xdpctl": ${DOCUMENT_VERSION},\n    "redirects": []\n}`;
    return;
  }
  yield `{\n    "xdpctl": ${DOCUMENT_VERSION},\n    "redirects": [\n        ${texts.join(',\n        ')}\n    ]\n}`;
}
