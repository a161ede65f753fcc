import { expect, it } from 'vitest';
import { type Refusal, RefusedPeers } from '../../core/certs/refused-peers.js';
import { hex } from '../../hal/base/bytes.js';
import { nodeCrypto } from './support.js';

const refusal = (peer: string, service: Refusal['service'] = 'sip'): Refusal => ({
  ...{ service, peer, rule: 'unknown-issuer', subject: 'CN=pbx', detail: 'its issuer is not trusted', mend: 'upload it', at: 1 },
});
const der = (n: number, size = 4): Uint8Array => new Uint8Array(size).fill(n);
const idOf = (leaf: Uint8Array): string => hex(nodeCrypto.digest('sha256', leaf));

it('keeps who was refused, why, and what they sent; the latest first', () => {
  const peers = new RefusedPeers(nodeCrypto);
  const sent = [der(1), der(9)];
  peers.record(sent, refusal('pbx.test:5061'));
  peers.record([der(2)], refusal('prov.test:443', 'provisioning'));
  peers.record(sent, { ...refusal('pbx.test:5061'), rule: 'expired', at: 2 });
  sent[0]!.fill(0);
  expect(peers.list()).toEqual([
    { ...refusal('pbx.test:5061'), rule: 'expired', at: 2, id: idOf(der(1)), times: 2 },
    { ...refusal('prov.test:443', 'provisioning'), id: idOf(der(2)), times: 1 },
  ]);
  expect(peers.chainOf(idOf(der(1)))).toEqual([der(1), der(9)]);
  expect([der(1), der(9), der(2), der(3)].map((one) => peers.has(one))).toEqual([true, true, true, false]);
});

it('keeps nothing of a peer without a certificate', () => {
  const peers = new RefusedPeers(nodeCrypto);
  peers.record([], refusal('pbx.test:5061'));
  expect(peers.list()).toEqual([]);
});

it('is bounded, and strangers at our ports go before servers', () => {
  const peers = new RefusedPeers(nodeCrypto);
  peers.record([der(1)], refusal('pbx.test:5061'));
  for (let n = 2; n < 100; n++) peers.record([der(n)], refusal('192.0.2.1:40000', 'sip-server'));
  expect(peers.list()).toHaveLength(16);
  expect(peers.list().at(-1)!.peer).toBe('pbx.test:5061');
  for (let n = 100; n < 120; n++) peers.record([der(n)], refusal(`server ${n}`));
  expect(peers.list().map(({ peer }) => peer)).toEqual(Array.from({ length: 16 }, (_, i) => `server ${119 - i}`));
});

it('keeps of a chain what fits', () => {
  const peers = new RefusedPeers(nodeCrypto);
  peers.record([der(1, 10_000), der(2, 5_000), der(3, 5_000)], refusal('pbx.test:5061'));
  expect(peers.chainOf(peers.list()[0]!.id)).toEqual([der(1, 10_000), der(2, 5_000)]);
});
