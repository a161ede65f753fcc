/** Certificates from peers, and files with certificates and keys from people. */
import tls from 'node:tls';
import { derFromBer } from '../../../core/certs/asn1.js';
import { readCertificate } from '../../../core/certs/certificate.codec.js';
import { nameFault } from '../../../core/certs/names.policy.js';
import { readPem, writePem } from '../../../core/certs/pem.codec.js';
import { CLIENT_IDENTITY, judgeUpload, TRUSTED, WEB_IDENTITY } from '../../../core/certs/upload.policy.js';
import { latin1, utf8 } from '../../../hal/base/bytes.js';
import { expectOk } from '../../../hal/base/result.js';
import type { Crypto } from '../../../hal/hal.js';
import { nodeCrypto } from '../../certs/support.js';
import { restructureDer } from '../der-mutation.js';
import type { Target } from '../hunt.js';
import { authority, device, files, leaf, NOW, PASSPHRASE } from '../samples.js';
import { holds, same, tokens } from './support.js';

/** Authorities of the public, RSA and EC, with the extensions that they have. */
const PUBLIC = tls.rootCertificates.filter((_, i) => i % 40 === 0).map((pem) => expectOk(readPem(utf8(pem)), 'pem')[0]!.octets);

const certificate: Target = {
  name: 'certificate',
  samples: [leaf, authority, ...PUBLIC],
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

/** Larger files are refused before they are read. */
const FILE_MAX = 256 * 1024;

const ber: Target = {
  name: 'BER',
  samples: [leaf, ...files.der],
  tokens: tokens('\x30\x80', '\x00\x00', '\x24\x80', '\x30\x84\x7f\xff\xff\xff', '\x1f\xff\xff\x7f'),
  restructure: restructureDer,
  read(input) {
    const der = input.length > FILE_MAX ? undefined : derFromBer(input);
    if (!der) return false;
    const again = derFromBer(der);
    holds(again !== undefined && same(again, der), 'DER stays as it is');
    return true;
  },
};

const pem: Target = {
  name: 'PEM',
  samples: [
    ...files.pem,
    utf8(writePem('RSA PRIVATE KEY', leaf.subarray(0, 96)).replace('\n', '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233\n\n')),
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
    ': ',
    'DEK-Info: DES-EDE3-CBC,0011223344556677\n',
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

const CHEAP = new Uint8Array(64);

/** Real for as many hashes as the samples take. What a hostile file asks for beyond that is bounded by the core, and would only cost time here. */
function thrifty(): Pick<Crypto, 'digest' | 'hmac' | 'importKey'> {
  let left = 64;
  return {
    digest: (algorithm, ...data) => (left-- > 0 ? nodeCrypto.digest(algorithm, ...data) : CHEAP),
    hmac: (algorithm, key, ...data) => (left-- > 0 ? nodeCrypto.hmac(algorithm, key, ...data) : CHEAP),
    importKey: nodeCrypto.importKey,
  };
}

const PATHS = [`${TRUSTED}site.pem`, CLIENT_IDENTITY, WEB_IDENTITY];

function judge(path: string, file: Uint8Array): ReturnType<typeof judgeUpload> {
  const wall = { at: NOW, trust: 'network' } as const;
  return judgeUpload({ path, file, passphrase: PASSPHRASE, wall, crypto: thrifty(), wasRefused: () => false });
}

/** Whether a file is taken at one of the places for files. */
function taken(path: string, file: Uint8Array): boolean {
  const verdict = judge(path, file);
  if (!verdict.ok) {
    holds(verdict.error.detail !== '', 'a refusal says why');
    return false;
  }
  const kept = judge(path, verdict.value.bytes);
  holds(kept.ok && same(kept.value.bytes, verdict.value.bytes), 'what is kept is taken again, as it is');
  return true;
}

const pemFile: Target = {
  name: 'certificate file, PEM',
  samples: files.pem,
  ...(pem.tokens ? { tokens: pem.tokens } : {}),
  read: (input, random) => taken(PATHS[random(PATHS.length)]!, input),
};

const derFile: Target = {
  name: 'certificate file, DER',
  samples: [...files.der, device.pkcs8],
  restructure: restructureDer,
  read: (input, random) => taken(PATHS[random(PATHS.length)]!, input),
};

export const certificateTargets: readonly Target[] = [certificate, ber, pem, pemFile, derFile];
