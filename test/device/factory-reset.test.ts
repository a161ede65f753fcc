import { expect, it } from 'vitest';
import { issueDeviceCertificate, makeAuthorities } from '../../core/certs/authority.js';
import { issueSelfSigned } from '../../core/certs/issue.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { LOCAL_SETTINGS, PROVISIONED_SETTINGS } from '../../core/device/device-storage.js';
import { factoryReset } from '../../core/device/factory-reset.js';
import { utf8 } from '../../hal/base/bytes.js';
import type { NorFlash } from '../../sim/flash/nor-flash.js';
import { date, template, testKey, testPorts } from '../certs/support.js';
import { everyCut } from '../support/power-cuts.js';
import { type Bench, madeChip, openBench } from './bench.js';

const ports = testPorts();
const NOW = date('2026-06-01');
const key = (index: number) => testKey('ec-p256', index);
const keys = { root: key(0).key, intermediate: key(1).key, issuing: key(2).key };
const factory = makeAuthorities(ports, { keys, made: date('2025-01-01'), organization: 'Vendor' });
const device = issueDeviceCertificate(ports, {
  ...{ mac: '0022EE0A0001', made: date('2025-01-01'), publicKey: key(3).key.spki, issuer: factory.issuing },
});
const site = issueSelfSigned(ports, template('Site CA', 4, { authority: {} }), key(4).key);
const own = utf8(writePem('CERTIFICATE', issueSelfSigned(ports, template('lobby', 5), key(5).key)) + writePem('PRIVATE KEY', key(5).pkcs8));

const SETTINGS = [LOCAL_SETTINGS, PROVISIONED_SETTINGS];
const UPLOADS = ['certs/sipclient.pem', 'certs/trusted/site.pem'];
const open = (chip: NorFlash): Bench => openBench(chip, { at: NOW })!;
const pathsOf = ({ storage }: Bench): string[] => [...storage.config.list(), ...storage.certs.list()].sort();

/** What the chip still holds of what was there before, in any state. */
const remains = (chip: NorFlash): string[] => {
  const image = Buffer.from(chip.image());
  return ['secret', 'PRIVATE KEY', 'Site CA'].filter((text) => image.includes(text));
};

function used(): NorFlash {
  const chip = madeChip('8180-g2', { identity: { chain: [device, factory.issuing.certificate], pkcs8: key(3).pkcs8 } });
  const bench = open(chip);
  bench.ask((done) => bench.storage.config.commit([{ path: PROVISIONED_SETTINGS, bytes: utf8('sip.u1.pwd = secret\n') }], done));
  bench.ask((done) => bench.files.put(UPLOADS[0]!, own, {}, done));
  bench.ask((done) => bench.files.put(UPLOADS[1]!, site, {}, done));
  expect(pathsOf(bench)).toEqual([...UPLOADS, ...SETTINGS].sort());
  return chip.copy();
}

it('erases settings and uploads, from the chip too, and keeps what manufacture wrote', () => {
  const chip = used();
  const bench = open(chip);
  expect(bench.ask((done) => factoryReset(bench.storage, done))).toEqual([...UPLOADS, ...SETTINGS].sort());
  const after = open(chip);
  expect(pathsOf(after)).toEqual([]);
  expect(after.certificates.identity('sip')?.chain[0]).toEqual(device);
  expect(after.said).toEqual([]);
  expect(remains(chip)).toEqual([]);
});

it('has happened wholly or not at all, whenever power fails', () => {
  const chip = used();
  const before = chip.copy();
  const bench = open(chip);
  bench.rig.operations.length = 0;
  bench.ask((done) => factoryReset(bench.storage, done));
  const outcomes = { old: 0, reset: 0, finished: 0 };
  for (const { chip: left, name } of everyCut(before, bench.rig.operations)) {
    const after = open(left);
    const paths = pathsOf(after);
    if (paths.length > 0) expect(paths, name).toEqual([...UPLOADS, ...SETTINGS].sort());
    expect(after.storage.factory.identity, name).toBeDefined();
    const finished = after.said.some(({ event }) => event === 'device.reset');
    outcomes[paths.length > 0 ? 'old' : finished ? 'finished' : 'reset']++;
    if (paths.length === 0) expect(remains(left), name).toEqual([]);
    // And so it stays.
    expect(pathsOf(open(left)), name).toEqual(paths);
  }
  console.log(`factory reset: ${Object.values(outcomes).reduce((a, b) => a + b)} cuts, ${JSON.stringify(outcomes)}`);
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0);
});
