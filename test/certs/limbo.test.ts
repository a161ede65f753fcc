import { expect, it } from 'vitest';
import { type Certificate, readCertificate } from '../../core/certs/certificate.codec.js';
import { sameName } from '../../core/certs/name.codec.js';
import { nameFault } from '../../core/certs/names.policy.js';
import { type AnchorIndex, verifyPath } from '../../core/certs/path.policy.js';
import { readPem } from '../../core/certs/pem.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { describeSuite, readSharedJson } from '../support/shared.js';
import { nodeCrypto } from './support.js';

interface LimboCase {
  id: string;
  features: string[];
  validation_kind: 'SERVER' | 'CLIENT';
  trusted_certs: string[];
  untrusted_intermediates: string[];
  peer_certificate: string;
  validation_time: string | null;
  expected_result: 'SUCCESS' | 'FAILURE';
  expected_peer_name: { kind: string; value: string } | null;
  max_chain_depth: number | null;
}

/** Cases that must fail and are accepted, each with its reason. */
const ACCEPTED: Record<string, string> = {
  'crl::revoked-certificate-with-crl': 'revocation lists are not modelled',
  'crl::crlnumber-missing': 'revocation lists are not modelled',
  'crl::crlnumber-critical': 'revocation lists are not modelled',
  'crl::issuer-missing-crlsign': 'revocation lists are not modelled',
  'rfc5280::aki::cross-signed-root-missing-aki': 'pedantic; cve::cve-2024-0567 has such a root and must pass',
  'rfc5280::nc::permitted-dns-match-noncritical': 'contradicts webpki::nc::permitted-dns-match-noncritical, which must pass',
  'rfc5280::ski::root-missing-ski': 'TWCA Global Root CA, in wide use, has none',
  'rfc5280::root-non-critical-basic-constraints': 'those of ePKI Root Certification Authority, in wide use, are not critical',
};
/** Cases that must pass and are refused, each with its reason. */
const REFUSED: Record<string, string> = {
  'pathlen::validation-ignores-pathlen-in-leaf': 'RFC 8446 part 4.4.2.2: a key that may only sign certificates is no TLS server’s',
  'rfc5280::ca-as-leaf': 'the same; webpki::ca-as-leaf, which must fail, agrees',
  'rfc5280::eku::ee-without-eku': 'contradicts webpki::eku::ee-without-eku, which must fail; under an uploaded authority it passes',
};
const AGREE_MIN = 197;

const der = (pem: string): Uint8Array => expectOk(readPem(utf8(pem)), 'pem')[0]!.octets;

function verdict(test: LimboCase): string | undefined {
  const trusted = test.trusted_certs
    .map(der)
    .map(readCertificate)
    .flatMap((read): Certificate[] => (read.ok ? [read.value] : []));
  const anchors: AnchorIndex = {
    bySubject: (name) =>
      trusted.filter(({ subject }) => sameName(subject, name)).map((certificate) => ({ certificate, origin: 'preinstalled' })),
  };
  const result = verifyPath({
    chain: [test.peer_certificate, ...test.untrusted_intermediates].map(der),
    anchors,
    purpose: test.validation_kind === 'SERVER' ? 'serverAuth' : 'clientAuth',
    at: test.validation_time ? Date.parse(test.validation_time) : Date.UTC(2026, 5, 1),
    crypto: nodeCrypto,
    ...(test.max_chain_depth === null ? {} : { maxIntermediates: test.max_chain_depth }),
  });
  if (!result.ok) return `${result.fault.rule}: ${result.fault.detail}`;
  const name = test.expected_peer_name;
  if (!name) return undefined;
  return nameFault(result.path[0]!, name.value, { scheme: 'https', wildcards: true, commonName: false });
}

describeSuite('x509', () => {
  it('agrees with x509-limbo', () => {
    const { testcases: cases } = readSharedJson<{ testcases: LimboCase[] }>('suites/x509/limbo-head-nobettertls.json');
    const outcomes = cases.map((test) => ({ id: test.id, expected: test.expected_result, refusal: verdict(test) }));
    const accepted = outcomes.filter(({ expected, refusal }) => expected === 'FAILURE' && !refusal).map(({ id }) => id);
    const refused = outcomes.filter(({ expected, refusal }) => expected === 'SUCCESS' && refusal).map(({ id }) => id);
    const agree = cases.length - accepted.length - refused.length;
    const others = accepted.filter((id) => !id.startsWith('crl::'));
    console.log(
      `x509-limbo: ${agree} of ${cases.length} cases agree; accepted though they must fail: ${accepted.length - others.length} of revocation lists, ${others.length} others`,
    );
    expect(accepted.sort()).toEqual(Object.keys(ACCEPTED).sort());
    expect(refused.sort()).toEqual(Object.keys(REFUSED).sort());
    expect(agree).toBeGreaterThanOrEqual(AGREE_MIN);
  });
});
