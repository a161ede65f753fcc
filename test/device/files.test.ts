import { describe, expect, it } from 'vitest';
import { issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import { date, parsed, template, testKey, testPorts } from '../certs/support.js';
import { type Bench, madeChip, openBench } from './bench.js';

const ports = testPorts();
const NOW = date('2026-06-01');
const key = (index: number) => testKey('ec-p256', index);
const site = { certificate: issueSelfSigned(ports, template('Site CA', 4, { authority: {} }), key(4).key), key: key(4).key };
const leaf = issueCertificate(ports, template('lobby', 5), site);
const other = issueCertificate(ports, template('lobby 2', 6), site);
const pem = (...ders: Uint8Array[]): string => ders.map((der) => writePem('CERTIFICATE', der)).join('');
const identityFile = (certificate: Uint8Array, index: number): Uint8Array =>
  utf8(pem(certificate, site.certificate) + writePem('PRIVATE KEY', key(index).pkcs8));

const CLIENT = 'certs/sipclient.pem';
const TRUSTED = 'certs/trusted/site.cer';

const open = (more: { board?: string; firmware?: string } = {}): Bench =>
  openBench(madeChip(more.board ?? '8180-g2'), { at: NOW, ...more })!;
const put = (bench: Bench, path: string, file: Uint8Array, passphrase?: string) =>
  bench.ask((done) => bench.files.put(path, file, passphrase === undefined ? {} : { passphrase }, done));
const said = (bench: Bench) => bench.said.map(({ event, file, files }) => `${event} ${file ?? files}`);

describe('a file that is put on the device', () => {
  it('is in use from the next connection on, and after a boot', () => {
    const chip = madeChip('8180-g2');
    const bench = openBench(chip, { at: NOW })!;
    expect(put(bench, TRUSTED, site.certificate)).toEqual({ subjects: ['CN=Site CA,O=Test'], notes: [] });
    expect(put(bench, CLIENT, identityFile(leaf, 5))).toEqual({ subjects: ['CN=lobby,O=Test', 'CN=Site CA,O=Test'], notes: [] });
    expect(said(bench)).toEqual([
      `flash.committed ${TRUSTED}`,
      `certs.accepted ${TRUSTED}`,
      `flash.committed ${CLIENT}`,
      `certs.accepted ${CLIENT}`,
    ]);
    expect(bench.changes).toBe(2);
    expect(bench.certificates.identity('sip')?.chain).toEqual([leaf, site.certificate]);
    const again = openBench(chip.copy(), { at: NOW })!;
    expect(again.certificates.identity('sip')?.chain).toEqual([leaf, site.certificate]);
    expect(again.certificates.anchors.bySubject(parsed(site.certificate).subject)).toHaveLength(1);
    expect(again.files.list()).toEqual([
      { path: CLIENT, size: expect.any(Number) },
      { path: TRUSTED, size: pem(site.certificate).length },
    ]);
  });

  it('and is refused leaves what was there', () => {
    const bench = open();
    put(bench, CLIENT, identityFile(leaf, 5));
    bench.said.length = 0;
    expect(put(bench, CLIENT, identityFile(other, 5))).toBe(
      'refused: "CN=lobby 2,O=Test": the private key belongs to none of the certificates in the file',
    );
    expect(put(bench, CLIENT, utf8(pem(site.certificate)))).toMatch(/^refused: .* belongs in certs\/trusted/);
    expect(put(bench, TRUSTED, identityFile(leaf, 5))).toMatch(/^refused: .* belongs in certs\/sipclient.pem/);
    expect(said(bench)).toEqual([`certs.refused ${CLIENT}`, `certs.refused ${CLIENT}`, `certs.refused ${TRUSTED}`]);
    expect(bench.certificates.identity('sip')?.chain[0]).toEqual(leaf);
    expect(bench.changes).toBe(1);
  });

  it('takes the place of another, and can be taken away', () => {
    const bench = open();
    put(bench, CLIENT, identityFile(leaf, 5));
    put(bench, CLIENT, identityFile(other, 6));
    expect(bench.certificates.identity('sip')?.chain[0]).toEqual(other);
    bench.said.length = 0;
    expect(bench.ask((done) => bench.files.remove(CLIENT, done))).toBeUndefined();
    expect(bench.certificates.identity('sip')).toBeUndefined();
    expect(said(bench)).toEqual([`flash.committed ${CLIENT}`, `certs.removed ${CLIENT}`]);
    expect(bench.ask((done) => bench.files.remove(CLIENT, done))).toBe(`not-found: there is no file ${CLIENT}`);
  });

  it('is judged by the clock', () => {
    const bench = open();
    bench.wall = { at: date('2036-01-01'), trust: 'network' };
    expect(put(bench, TRUSTED, site.certificate)).toMatch(/^refused: .* it ended at 2035/);
  });

  it('of a peer that was refused is trusted for itself', () => {
    const bench = open();
    expect(put(bench, TRUSTED, leaf)).toMatch(/^refused: .* no certificate of an authority/);
    const refusal = {
      service: 'sip',
      peer: 'pbx:5061',
      rule: 'unknown-issuer',
      subject: 'CN=lobby',
      detail: '-',
      mend: '-',
      at: NOW,
    } as const;
    bench.certificates.refusedPeers.record([leaf], refusal);
    const [peer] = bench.certificates.refusedPeers.list();
    const [shown] = bench.certificates.refusedPeers.chainOf(peer!.id)!;
    expect(put(bench, TRUSTED, shown!)).toMatchObject({ subjects: ['CN=lobby,O=Test'] });
  });

  it.each([
    ['settings/local.conf'],
    ['certs/other.pem'],
    ['certs/trusted/'],
    ['certs/trusted/a/b.pem'],
    ['certs/trusted/../sipclient.pem'],
    ['certs/sipclient.pem/x'],
  ])('cannot be put at %s', (path) => {
    const bench = open();
    expect(put(bench, path, site.certificate)).toMatch(/^unsupported: no file can be put at/);
    expect(bench.said).toEqual([]);
  });

  it('under a name that is a path of no store is refused by the store', () => {
    expect(put(open(), 'certs/trusted/..', site.certificate)).toMatch(/^unsupported: /);
  });

  it('needs what board and firmware have, and says which version has it', () => {
    expect(put(open({ firmware: '3.0' }), TRUSTED, site.certificate)).toBe(
      "unsupported: the 8180 G2 has uploads to 'certs/trusted' from firmware 3.1, and runs 3.0: upgrade to firmware 3.1 or later",
    );
    expect(put(open({ firmware: '3.0' }), CLIENT, identityFile(leaf, 5))).toMatchObject({ notes: [] });
    expect(put(open({ firmware: '1.6.3' }), CLIENT, identityFile(leaf, 5))).toMatch(
      /^unsupported: the 8180 G2 has TLS from firmware 1.6.4/,
    );
    expect(put(open({ board: '8061' }), CLIENT, identityFile(leaf, 5))).toMatch(/^unsupported: the 8061 has no TLS/);
  });

  it('that does not fit is refused with its size, and nothing has changed', () => {
    const bench = open();
    const many = utf8(pem(...Array.from({ length: 190 }, () => site.certificate)));
    const answers = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => put(bench, `certs/trusted/${name}`, many));
    const taken = answers.filter((answer) => typeof answer === 'object').length;
    expect(taken).toBeGreaterThan(0);
    expect(answers[taken]).toMatch(/^full: with certs\/trusted\/\w \(\d+ octets\)/);
    expect(bench.files.list()).toHaveLength(taken);
  });
});
