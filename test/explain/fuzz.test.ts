/** Captures that nobody meant well with: whatever is in them, something is said of it, and soon. Seeded. */
import { expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { mutate, randomFrom } from '../support/mutation.js';
import { makeTestPki } from '../support/test-pki.js';
import { explain } from './explain.js';
import { exchange, pem, shown } from './openssl.js';
import { captureOf, START } from './wire.js';

const pki = makeTestPki(nodePlatform(), { mac: '0022EE0A0001', serverName: 'prov.example.test', at: START / 1000 });
const server = { ...shown(pki.server, pki.pkcs8.server), ca: pem(pki.root), requestCert: true };
const device = { ...shown(pki.device, pki.pkcs8.device), ca: pem(pki.root) };

const RUNS = 150;

it.each(['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const)('mutated captures of %s: files, frames, and what TLS carries', async (version) => {
  const range = { minVersion: version, maxVersion: version } as const;
  const { wire, secrets, capture } = await exchange({ ...range, ...device }, { ...range, ...server });
  const samples = [capture(true), capture(false)];
  for (let run = 0; run < RUNS; run++) {
    const random = randomFrom(1, run);
    // Half of them break the file; the others frames within it, which reach further in.
    const broken = wire.frames.map((frame) => (random(8) === 0 ? { ...frame, bytes: mutate(frame.bytes, random) } : frame));
    const file = run % 2 === 0 ? mutate(samples[run % 4 === 0 ? 0 : 1]!, random) : captureOf(broken, run % 4 === 1 ? secrets : undefined);
    try {
      expect([0, 1]).toContain(explain(file, { trust: [pki.root] }).status);
    } catch (error) {
      // A file that is no capture any more is refused in one line; anything else is a bug, and the run names it.
      if (!/neither pcapng nor pcap|empty/.test((error as Error).message)) throw new Error(`run ${run}`, { cause: error });
    }
  }
});
