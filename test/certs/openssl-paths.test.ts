/** Paths that `openssl` made, judged by both: it has no part in ours, and nobody on either side knows the other's mistakes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameName } from '../../core/certs/name.codec.js';
import { nameFault } from '../../core/certs/names.policy.js';
import { type AnchorIndex, verifyPath } from '../../core/certs/path.policy.js';
import { readPem } from '../../core/certs/pem.codec.js';
import { expectOk } from '../../hal/base/result.js';
import { nodeCrypto, parsed } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'belfry-paths-'));
afterAll(() => rmSync(folder, { recursive: true }));
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });

interface Made {
  /** Whose certificate and key sign; itself where absent. */
  issuer?: string;
  subject?: string;
  /** Kind of key; that of another where it begins with `=`. */
  key?: string;
  hash?: string;
  days?: number;
  extensions?: readonly string[];
}

const AUTHORITY = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash'];
const SERVER = ['basicConstraints=CA:FALSE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=serverAuth'];
const SAN = 'subjectAltName=DNS:pbx.example.test,IP:192.0.2.7';
const LEAF = [...SERVER, SAN];

/** `NAME.crt` and `NAME.key`. */
function make(name: string, { issuer, subject = name, key = 'ec:P-256', hash = 'sha256', days = 3650, extensions = LEAF }: Made): void {
  if (key.startsWith('=')) writeFileSync(join(folder, `${name}.key`), readFileSync(join(folder, `${key.slice(1)}.key`)));
  else if (key.startsWith('rsa:')) openssl('genrsa', '-out', `${name}.key`, key.slice(4));
  else if (key === 'ed25519') openssl('genpkey', '-algorithm', 'ed25519', '-out', `${name}.key`);
  else openssl('ecparam', '-genkey', '-noout', '-name', key.slice(3), '-out', `${name}.key`);
  openssl('req', '-new', '-key', `${name}.key`, '-subj', `/O=Paths/CN=${subject}`, '-out', `${name}.csr`);
  writeFileSync(join(folder, 'ext'), `${extensions.join('\n')}\n`);
  const signer =
    issuer === undefined ? ['-signkey', `${name}.key`] : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
  const digest = key === 'ed25519' && issuer === undefined ? [] : [`-${hash}`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signer, ...digest, '-days', String(days), '-extfile', 'ext', '-out', `${name}.crt`);
}

const certificate = (name: string): Uint8Array => expectOk(readPem(readFileSync(join(folder, `${name}.crt`))), name)[0]!.octets;

interface Question {
  leaf: string;
  sent?: readonly string[];
  trusted?: readonly string[];
  name?: string;
  purpose?: 'sslserver' | 'sslclient';
  /** Days from now. */
  in?: number;
}

const moment = ({ in: days = 1 }: Question): number => Date.now() + days * 86_400_000;

/** Security level 2 asks for the strength that we ask for: 112 bits. */
function theirs(question: Question): boolean {
  const { leaf, sent = [], trusted = ['root'], name, purpose = 'sslserver' } = question;
  const bundle = (file: string, names: readonly string[]): string => {
    writeFileSync(join(folder, file), names.map((each) => readFileSync(join(folder, `${each}.crt`), 'utf8')).join(''));
    return file;
  };
  const sentArgs = sent.length > 0 ? ['-untrusted', bundle('sent', sent)] : [];
  const nameArgs = name === undefined ? [] : /^[\d.]+$/.test(name) ? ['-verify_ip', name] : ['-verify_hostname', name];
  const at = ['-attime', String(Math.floor(moment(question) / 1000))];
  const store = ['-CAfile', bundle('trusted', trusted), '-no-CApath', '-no-CAstore', '-partial_chain'];
  const args = ['verify', ...store, ...sentArgs, ...nameArgs, ...at, '-purpose', purpose, '-auth_level', '2', `${leaf}.crt`];
  return spawnSync('openssl', args, { cwd: folder }).status === 0;
}

function ours(question: Question): string {
  const { leaf, sent = [], trusted = ['root'], name, purpose = 'sslserver' } = question;
  const certificates = trusted.map((each) => parsed(certificate(each)));
  const anchors: AnchorIndex = {
    bySubject: (subject) =>
      certificates.filter((each) => sameName(each.subject, subject)).map((each) => ({ certificate: each, origin: 'uploaded' })),
  };
  const verdict = verifyPath({
    chain: [leaf, ...sent].map(certificate),
    anchors,
    purpose: purpose === 'sslserver' ? 'serverAuth' : 'clientAuth',
    at: moment(question),
    crypto: nodeCrypto,
  });
  if (!verdict.ok) return verdict.fault.rule;
  const wrong = name === undefined ? undefined : nameFault(verdict.path[0]!, name, { scheme: 'https', wildcards: true, commonName: true });
  return wrong === undefined ? 'ok' : 'name';
}

beforeAll(() => {
  make('root', { extensions: AUTHORITY });
  make('middle', { issuer: 'root', extensions: AUTHORITY });
  make('leaf', { issuer: 'middle' });
  make('rsa-root', { key: 'rsa:2048', extensions: AUTHORITY });
  // An authority that an older one signed too, for a month; its own root lasts.
  make('old-root', { extensions: AUTHORITY });
  make('crossed', { issuer: 'old-root', subject: 'root', key: '=root', days: 30, extensions: AUTHORITY });
  // The same names, other keys.
  make('false-root', { subject: 'root', extensions: AUTHORITY });
  make('renewed', { issuer: 'root', subject: 'middle', extensions: AUTHORITY });
  make('last', { issuer: 'root', extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign'] });
  make('below-last', { issuer: 'last', extensions: AUTHORITY });
  make('no-ca', { issuer: 'root' });
  make('no-sign', { issuer: 'root', extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign'] });
  make('for-clients', { issuer: 'root', extensions: [...AUTHORITY, 'extendedKeyUsage=clientAuth'] });
  const limits = 'nameConstraints=critical,permitted;DNS:example.test,excluded;DNS:bad.example.test,permitted;IP:192.0.2.0/255.255.255.0';
  make('limited', { issuer: 'root', extensions: [...AUTHORITY, limits] });
  make('limited-names', {
    issuer: 'root',
    extensions: [...AUTHORITY, 'nameConstraints=critical,permitted;dirName:dn', '[dn]', 'O=Paths', 'CN=one'],
  });
  make('sha1', { issuer: 'root', hash: 'sha1', extensions: AUTHORITY });
  make('short', { issuer: 'root', key: 'rsa:1024', extensions: AUTHORITY });
  make('short-lived', { issuer: 'root', days: 30, extensions: AUTHORITY });
  make('odd', { issuer: 'root', extensions: [...AUTHORITY, '1.2.3.4=critical,DER:0500'] });
}, 60_000);

const under = (issuer: string, more: Made = {}): Made => ({ issuer, ...more });
const san = (names: string): Made => ({ extensions: [...SERVER, `subjectAltName=${names}`] });

describe('both say the same', () => {
  it.each<[string, Made | undefined, Omit<Question, 'leaf'>, string]>([
    ['through an intermediate', undefined, { sent: ['middle'] }, 'ok'],
    ['without it', undefined, {}, 'unknown-issuer'],
    ['in any order, with others', undefined, { sent: ['root', 'for-clients', 'middle', 'leaf'] }, 'ok'],
    ['with one of the same name and another key first', undefined, { sent: ['renewed', 'middle'] }, 'ok'],
    ['with one of the same name and another key alone', undefined, { sent: ['renewed'] }, 'signature'],
    ['to a root of the same name and another key', under('root'), { trusted: ['false-root'] }, 'signature'],
    ['to that root and the right one', under('root'), { trusted: ['false-root', 'root'] }, 'ok'],
    ['beside an expired cross-sign', under('root'), { sent: ['crossed'], trusted: ['old-root', 'root'], in: 60 }, 'ok'],
    ['through a cross-sign', under('root'), { sent: ['crossed'], trusted: ['old-root'], in: 20 }, 'ok'],
    ['through an expired cross-sign alone', under('root'), { sent: ['crossed'], trusted: ['old-root'], in: 60 }, 'expired'],
    ['before it begins', under('root'), { in: -1 }, 'not-yet-valid'],
    ['after its end', under('root', { days: 30 }), { in: 31 }, 'expired'],
    ['after the end of an authority', under('short-lived'), { sent: ['short-lived'], in: 31 }, 'expired'],
    ['path length kept', under('last'), { sent: ['last'] }, 'ok'],
    ['path length broken', under('below-last'), { sent: ['below-last', 'last'] }, 'path-length'],
    ['issued by no authority', under('no-ca'), { sent: ['no-ca'] }, 'not-a-ca'],
    ['issued with a key that may not', under('no-sign'), { sent: ['no-sign'] }, 'key-usage'],
    ['for clients only', under('root', { extensions: ['extendedKeyUsage=clientAuth', SAN] }), {}, 'purpose'],
    ['for clients only, as one', under('root', { extensions: ['extendedKeyUsage=clientAuth'] }), { purpose: 'sslclient' }, 'ok'],
    ['by an authority for clients only', under('for-clients'), { sent: ['for-clients'] }, 'purpose'],
    ['for no purpose in particular', under('root', { extensions: [SAN] }), {}, 'ok'],
    ['a critical extension that nobody knows', under('odd'), { sent: ['odd'] }, 'critical-extension'],
    ['signed with SHA-1', under('sha1', { hash: 'sha1' }), { sent: ['sha1'] }, 'weak-signature'],
    ['an authority signed with SHA-1', under('sha1'), { sent: ['sha1'] }, 'weak-signature'],
    ['a key of 1024 bits', under('root', { key: 'rsa:1024' }), {}, 'weak-key'],
    ['an authority with a key of 1024 bits', under('short'), { sent: ['short'] }, 'weak-key'],
    ['RSA', under('rsa-root', { key: 'rsa:2048' }), { trusted: ['rsa-root'] }, 'ok'],
    ['SHA-512 and P-384', under('rsa-root', { key: 'ec:secp384r1', hash: 'sha512' }), { trusted: ['rsa-root'] }, 'ok'],
    ['Ed25519', under('root', { key: 'ed25519' }), {}, 'ok'],
    ['names within constraints', under('limited', san('DNS:a.example.test,IP:192.0.2.7')), { sent: ['limited'] }, 'ok'],
    ['a name outside', under('limited', san('DNS:a.example.com')), { sent: ['limited'] }, 'name-constraints'],
    ['a name excluded', under('limited', san('DNS:a.bad.example.test')), { sent: ['limited'] }, 'name-constraints'],
    ['an address outside', under('limited', san('DNS:a.example.test,IP:198.51.100.7')), { sent: ['limited'] }, 'name-constraints'],
    [
      'a CN outside, taken for a host',
      under('limited', { subject: 'a.example.com', extensions: SERVER }),
      { sent: ['limited'] },
      'name-constraints',
    ],
    ['a subject outside', under('limited-names'), { sent: ['limited-names'] }, 'name-constraints'],
    ['its name', under('root'), { name: 'pbx.example.test' }, 'ok'],
    ['its address', under('root'), { name: '192.0.2.7' }, 'ok'],
    ['another name', under('root'), { name: 'prov.example.test' }, 'name'],
    ['another address', under('root'), { name: '192.0.2.8' }, 'name'],
    ['a wildcard', under('root', san('DNS:*.example.test')), { name: 'pbx.example.test' }, 'ok'],
    ['a wildcard for two labels', under('root', san('DNS:*.example.test')), { name: 'a.pbx.example.test' }, 'name'],
    ['trusted for itself', under('root'), { trusted: ['end'] }, 'ok'],
    ['self-signed and trusted', {}, { trusted: ['end'] }, 'ok'],
    ['self-signed', {}, {}, 'unknown-issuer'],
  ])('%s', (_title, made, question, verdict) => {
    if (made) make('end', made);
    const asked = { leaf: made ? 'end' : 'leaf', ...question };
    expect({ ours: ours(asked), theirs: theirs(asked) }).toEqual({ ours: verdict, theirs: verdict === 'ok' });
  });
});
