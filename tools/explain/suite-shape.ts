/** What a cipher suite asks of whoever opens its records, read from its registered name. */
import { suiteName } from '../../hal/layers/tls-suites.js';

export interface SuiteShape {
  mode: 'gcm' | 'ccm' | 'chacha' | 'cbc';
  /** As OpenSSL names it. */
  cipher: string;
  /** Octets of the key. */
  key: number;
  /** Octets of an AEAD's tag; of a block for CBC. */
  size: number;
  /** Of HKDF in TLS 1.3, of the PRF in 1.2; older versions have their own. */
  hash: 'sha256' | 'sha384';
  /** Of CBC suites. */
  mac: 'md5' | 'sha1' | 'sha256' | 'sha384';
}

const NAME =
  /(?:_WITH|^TLS)_(AES_128|AES_256|CAMELLIA_128|CAMELLIA_256|3DES_EDE|CHACHA20)_(GCM|CCM_8|CCM|CBC|POLY1305)(?:_(MD5|SHA256|SHA384|SHA))?$/;

/** Undefined for suites that are not opened here: RC4, NULL, DES and such. */
export function suiteShape(suite: number): SuiteShape | undefined {
  const [, cipher, form, hash] = NAME.exec(suiteName(suite)) ?? [];
  if (cipher === undefined || form === undefined) return undefined;
  const [family, bits] = cipher.split('_') as [string, string | undefined];
  const common = {
    hash: hash === 'SHA384' ? 'sha384' : 'sha256',
    mac: MACS[hash ?? ''] ?? 'sha1',
    key: KEYS[cipher] ?? 16,
  } as const;
  if (form === 'POLY1305') return { ...common, mode: 'chacha', cipher: 'chacha20-poly1305', size: 16 };
  if (form === 'CBC') {
    const name = family === '3DES' ? 'des-ede3-cbc' : `${family.toLowerCase()}-${bits}-cbc`;
    return { ...common, mode: 'cbc', cipher: name, size: family === '3DES' ? 8 : 16 };
  }
  const mode = form === 'GCM' ? 'gcm' : 'ccm';
  return { ...common, mode, cipher: `${family.toLowerCase()}-${bits}-${mode}`, size: form === 'CCM_8' ? 8 : 16 };
}

const MACS: Readonly<Record<string, SuiteShape['mac']>> = { MD5: 'md5', SHA: 'sha1', SHA256: 'sha256', SHA384: 'sha384' };
const KEYS: Readonly<Record<string, number>> = { AES_256: 32, CAMELLIA_256: 32, CHACHA20: 32, '3DES_EDE': 24 };
