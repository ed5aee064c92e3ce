import type { Evidence } from '../evidence.ts';
import { setMtu, setUp, switchTxChecksumOff, writeAddress } from './fixes.ts';
import type { FreedSkbs } from './freed-skb.ts';
import type { Hop } from './hop.ts';
import type { Proof } from './loss.ts';
import { nameOf, type Scene } from './scene.ts';
import { ringFull } from './target.ts';
import { certain, likely, type Verdict } from './verdict.ts';

type SkbProof = Extract<Proof, { readonly kind: 'skb' }>;

/** What proves that an skb had been redirected: that nothing else left through the target. */
export function skbProof({ fate, hop }: FreedSkbs, { devices = [] }: Evidence): SkbProof {
  const { ifindex, netns } = hop.to;
  const tally = devices.find((each) => each.ifindex === ifindex && each.netns === netns.inode);
  const { taken = 0, sent = Infinity } = tally ?? {};
  return { kind: 'skb', fate, hop, onlyRedirected: taken > 0 && sent <= taken };
}

/** kfree_skb: frames that had become an skb, on their way or at the receiver. */
export function freedSkb(scene: Scene): Verdict {
  const { proof } = scene;
  if (proof?.kind !== 'skb') throw new TypeError('an skb without the way it had taken');
  const { hop, onlyRedirected } = proof;
  const receiver = nameOf(hop.to.peer, hop.to.peer?.ifindex);
  const verdict = onlyRedirected ? certain : likely;
  switch (proof.fate) {
    case 'bad-checksum': {
      const sender = hop.from.peer;
      const who = sender === undefined ? 'a sender with checksum offload' : nameOf(sender, sender.ifindex);
      const explanation = `the frames reached ${receiver}, whose stack found a wrong checksum: ${who} leaves checksums to the device, and a redirect does not`;
      return verdict('delivered-bad-checksum', explanation, { fix: switchTxChecksumOff(sender) });
    }
    case 'other-host': {
      const explanation = `the frames reached ${receiver}, whose stack dropped them: their destination is another MAC address`;
      return verdict('delivered-other-host', explanation, { fix: writeAddress(scene.program, hop.from, hop.to) });
    }
    case 'egress-program': {
      const { map, entry } = hop;
      const program = scene.system.programs.get(entry.progId ?? 0)?.name ?? `program ${entry.progId}`;
      const explanation = `${program}, in the entry that leads to ${nameOf(hop.to, hop.to.ifindex)}, dropped the frames (generic mode)`;
      return certain('egress-program-drop', explanation, { mapId: map.id, key: entry.key });
    }
    case 'not-forwarded':
      return notForwarded(hop);
    case 'ring-full':
      return ringFull({ ...scene, proof: { kind: 'driver' } });
  }
}

/** Generic mode: a veth throws away what its peer does not take (is_skb_forwardable()). */
function notForwarded({ from, to }: Hop): Verdict {
  const { peer } = to;
  const name = nameOf(to, to.ifindex);
  const who = nameOf(peer, peer?.ifindex);
  if (peer?.up === false) {
    return certain('target-no-carrier', `${name} is a veth, and its peer ${who} is down`, { fix: setUp(peer) });
  }
  const needed = Math.max(to.mtu, from.mtu);
  if (peer?.mtu !== undefined && peer.mtu < needed) {
    const explanation = `${name} is a veth, and its peer ${who} has an MTU of only ${peer.mtu}`;
    return certain('peer-mtu', explanation, { fix: setMtu(peer, needed) });
  }
  return likely('target-no-carrier', `${name} is a veth, and its peer ${who} was down or had a smaller MTU`);
}
