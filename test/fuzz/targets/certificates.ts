/** Certificates from peers, and files with certificates and keys from people. */
import tls from 'node:tls';
import { derFromBer } from '../../../core/certs/asn1.js';
import { readCertificate } from '../../../core/certs/certificate.codec.js';
import { issueSelfSigned } from '../../../core/certs/issue.js';
import { nameFault } from '../../../core/certs/names.policy.js';
import { readPem, writePem } from '../../../core/certs/pem.codec.js';
import { latin1, utf8 } from '../../../hal/base/bytes.js';
import { expectOk } from '../../../hal/base/result.js';
import { template, testKey, testPorts } from '../../certs/support.js';
import { restructureDer } from '../der-mutation.js';
import type { Target } from '../hunt.js';
import { holds, same, tokens } from './support.js';

const OWN = issueSelfSigned(
  testPorts(),
  template('host.example.test', 0, {
    names: [
      { type: 'dns', value: '*.example.test' },
      { type: 'ip', value: '2001:db8::1' },
      { type: 'uri', value: 'sip:example.test' },
    ],
    purposes: ['serverAuth', 'clientAuth'],
  }),
  testKey('ec-p256', 0).key,
);
/** Authorities of the public, RSA and EC, with the extensions that they have. */
const PUBLIC = tls.rootCertificates.filter((_, i) => i % 30 === 0).map((pem) => expectOk(readPem(utf8(pem)), 'pem')[0]!.octets);

const certificate: Target = {
  name: 'certificate',
  samples: [OWN, ...PUBLIC],
  restructure: restructureDer,
  read(input) {
    const read = readCertificate(input);
    if (!read.ok) {
      holds(read.error.offset >= 0 && read.error.offset <= input.length, 'the fault lies within the input');
      return false;
    }
    holds(same(read.value.der, input), 'what was signed is what was read');
    for (const scheme of ['https', 'sip'] as const)
      nameFault(read.value, 'host.example.test', { scheme, wildcards: true, commonName: true });
    return true;
  },
};

const ber: Target = {
  name: 'BER',
  samples: [OWN, ...PUBLIC],
  tokens: tokens('\x30\x80', '\x00\x00', '\x24\x80', '\x30\x84\x7f\xff\xff\xff', '\x1f\xff\xff\x7f'),
  restructure: restructureDer,
  read(input) {
    const der = derFromBer(input);
    if (!der) return false;
    holds(same(expectDer(der), der), 'DER stays as it is');
    return true;
  },
};

const expectDer = (der: Uint8Array): Uint8Array => derFromBer(der) ?? new Uint8Array(0);

const PEM = [OWN, ...PUBLIC.slice(0, 1)].map((der) => writePem('CERTIFICATE', der)).join('');

const pem: Target = {
  name: 'PEM',
  samples: [
    utf8(`Subject: CN=host\r\n${PEM.slice(0, 800)}\n-----END CERTIFICATE-----\n`),
    utf8(`${writePem('PRIVATE KEY', testKey('ec-p256', 0).pkcs8)}${writePem('CERTIFICATE', OWN)}`),
    utf8(writePem('RSA PRIVATE KEY', OWN.subarray(0, 96)).replace('\n', '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233\n\n')),
  ],
  tokens: tokens(
    '-----BEGIN CERTIFICATE-----\n',
    '-----END CERTIFICATE-----\n',
    '-----BEGIN ',
    '-----',
    '\n\n',
    '\r\n',
    '=',
    '==',
    ':',
    'MII',
  ),
  read(input) {
    const read = readPem(input);
    if (!read.ok) {
      holds(read.error.line >= 1 && read.error.line <= latin1(input).split(/\r\n|\n|\r/).length, 'the fault lies within the file');
      return false;
    }
    for (const { label, octets } of read.value) {
      const [again] = expectOk(readPem(utf8(writePem(label, octets))), 'written');
      holds(again?.label === label && same(again.octets, octets), 'what is written is read again');
    }
    return read.value.length > 0;
  },
};

export const certificateTargets: readonly Target[] = [certificate, ber, pem];
