/** PKCS#12 files (RFC 7292): certificates and keys under one passphrase, as Windows, browsers and `openssl pkcs12` write them. */
import { equal, joined } from '../../hal/base/bytes.js';
import { err, ok } from '../../hal/base/result.js';
import type { Result } from '../../hal/hal.js';
import { context, DerCursor, type DerValue, derFromBer, oidText, readDer, smallInteger, Tag } from './asn1.js';
import { Bag, Content, HASHES, PBMAC1, X509_CERTIFICATE } from './oids.js';
import { type Derivation, decrypt, type Encryption, lockedDetail, pkcs12MacKey, readEncryption, type Unlock } from './passphrase.codec.js';
import type { PemBlock } from './pem.codec.js';

/** Whether the octets begin as a PKCS#12 file does. */
export const isPkcs12 = (octets: Uint8Array): boolean => readDer(octets, readFile).ok;

/** What the file holds, as a PEM file would: keys are still encrypted where the file has them so. The error is a predicate of the file. */
export function readPkcs12(octets: Uint8Array, unlock: Unlock): Result<PemBlock[], string> {
  const file = readDer(octets, readFile);
  if (!file.ok) return err(`is no PKCS#12 file: ${file.error.detail}`);
  const { safes, mac } = file.value;
  const authentic = mac ? authenticate(safes, mac, unlock) : ok(undefined);
  if (!authentic.ok) return authentic;
  const contents = fromBer(safes, (top) => top.enter().each(readContent));
  if (!contents.ok) return contents;
  const blocks: PemBlock[] = [];
  for (const content of contents.value) {
    const plain = content.encryption ? decrypt(content.encryption, content.octets, unlock) : ok(content.octets);
    if (!plain.ok) return plain;
    const bags = fromBer(plain.value, (top) => top.enter().each(readBag));
    // Deciphered by a wrong key, octets end in what looks like padding once in 256 times.
    if (!bags.ok) return content.encryption ? err(lockedDetail(unlock)) : bags;
    for (const bag of bags.value) blocks.push(...bag);
  }
  return ok(blocks);
}

function fromBer<T>(octets: Uint8Array, read: (top: DerCursor) => T): Result<T, string> {
  const der = derFromBer(octets);
  const value = der && readDer(der, read);
  if (!value) return err('is a PKCS#12 file with something in it that is not BER');
  return value.ok ? value : err(`is a damaged PKCS#12 file: ${value.error.detail}`);
}

/** The authentication code and how its key is derived; a `string` is the name of a way that is not known here. */
interface Mac {
  derivation: Derivation | string;
  value: Uint8Array;
}

function readFile(top: DerCursor): { safes: Uint8Array; mac?: Mac } {
  const file = top.enter();
  if (smallInteger(file.value(Tag.integer)) !== 3) file.fail('not version 3');
  const safe = file.enter();
  if (oidText(safe.value(Tag.oid)) !== Content.data) safe.fail('it is signed with a public key, not protected by a passphrase');
  const safes = octetString(safe.enter(context(0)).value());
  const mac = file.more ? readMac(file.enter()) : undefined;
  return { safes, ...(mac ? { mac } : {}) };
}

/** An OCTET STRING, whole or in the pieces that BER allows; an implicit tag is as good as its own. */
function octetString(value: DerValue): Uint8Array {
  const constructed = (value.tag & 0x20) !== 0;
  return constructed ? joined(DerCursor.within(value).each((piece) => piece.value(Tag.octetString).content)) : value.content;
}

function readMac(mac: DerCursor): Mac {
  const info = mac.enter();
  const id = oidText(info.enter().value(Tag.oid));
  const value = info.value(Tag.octetString).content;
  const salt = mac.value(Tag.octetString).content;
  const iterations = mac.more ? smallInteger(mac.value(Tag.integer)) : 1;
  const hash = HASHES[id];
  return { derivation: hash ? { hash, salt, iterations } : id === PBMAC1 ? 'PBMAC1' : id, value };
}

/** Whether the passphrase is the one with which the file was made, and nothing was changed since. */
function authenticate(safes: Uint8Array, { derivation, value }: Mac, unlock: Unlock): Result<void, string> {
  if (typeof derivation === 'string') return err(`is a PKCS#12 file authenticated by ${derivation}, which is not known here`);
  const key = pkcs12MacKey(derivation, unlock);
  if (!key.ok) return key;
  return equal(unlock.crypto.hmac(derivation.hash, key.value, safes), value) ? ok(undefined) : err(lockedDetail(unlock));
}

/** One SafeContents, plain where it has no encryption. */
interface Contents {
  octets: Uint8Array;
  encryption?: Encryption;
}

function readContent(at: DerCursor): Contents {
  const content = at.enter();
  const type = oidText(content.value(Tag.oid));
  if (type === Content.data) return { octets: octetString(content.enter(context(0)).value()) };
  if (type !== Content.encrypted) return content.fail(`content of type ${type}`);
  const data = content.enter(context(0)).enter();
  data.value(Tag.integer);
  const encrypted = data.enter();
  encrypted.value(Tag.oid);
  const encryption = readEncryption(encrypted);
  return { encryption, octets: octetString(encrypted.value()) };
}

/** None of a bag that holds something else: revocation lists, secrets. */
function readBag(at: DerCursor): PemBlock[] {
  const bag = at.enter();
  const type = oidText(bag.value(Tag.oid));
  const value = bag.enter(context(0));
  if (type === Bag.key) return [{ label: 'PRIVATE KEY', octets: value.value().der, headers: {} }];
  if (type === Bag.shroudedKey) return [{ label: 'ENCRYPTED PRIVATE KEY', octets: value.value().der, headers: {} }];
  if (type !== Bag.certificate) return [];
  const certificate = value.enter();
  if (oidText(certificate.value(Tag.oid)) !== X509_CERTIFICATE) return [];
  return [{ label: 'CERTIFICATE', octets: octetString(certificate.enter(context(0)).value()), headers: {} }];
}
