/** SubjectPublicKeyInfo (RFC 5280 part 4.1.2.7): which kind of key, and how strong. */
import type { Der } from '../../hal/hal.js';
import { bits, DerCursor, integerOctets, oidText, readDer, Tag } from './asn1.js';
import { Algorithm, Curve } from './oids.js';

/** `bits` is the length of the modulus, `exponentBits` that of the public exponent; `curve` is absent for a curve that Belfry does not know, or one given by its parameters. */
export type PublicKeyInfo =
  | { type: 'rsa'; bits: number; exponentBits: number }
  | { type: 'ec'; curve?: 'P-256' | 'P-384' | 'P-521' }
  | { type: 'ed25519' }
  | { type: 'other'; algorithm: string };

const CURVES: Readonly<Record<string, 'P-256' | 'P-384' | 'P-521'>> = {
  [Curve.p256]: 'P-256',
  [Curve.p384]: 'P-384',
  [Curve.p521]: 'P-521',
};

/** What kind of key; one that cannot be read is `other`, with no algorithm. */
export function readPublicKey(spki: Der): PublicKeyInfo {
  const info = readDer(spki, (top) => publicKey(top.enter()));
  return info.ok ? info.value : { type: 'other', algorithm: '' };
}

/** The same at a cursor over the content of a SubjectPublicKeyInfo. */
export function publicKey(info: DerCursor): PublicKeyInfo {
  const algorithm = info.enter();
  const id = oidText(algorithm.value(Tag.oid));
  const parameters = algorithm.more ? algorithm.value() : undefined;
  algorithm.end();
  const key = bits(info.value(Tag.bitString)).octets;
  info.end();
  if (id === Algorithm.rsa) return { type: 'rsa', ...rsaSizes(key) };
  if (id === Algorithm.ed25519) return { type: 'ed25519' };
  if (id !== Algorithm.ec) return { type: 'other', algorithm: id };
  const curve = parameters?.tag === Tag.oid ? CURVES[oidText(parameters)] : undefined;
  return curve ? { type: 'ec', curve } : { type: 'ec' };
}

function rsaSizes(rsaPublicKey: Uint8Array): { bits: number; exponentBits: number } {
  const inside = new DerCursor(rsaPublicKey, 0).enter();
  const bits = bitLength(integerOctets(inside.value(Tag.integer)));
  const exponentBits = bitLength(integerOctets(inside.value(Tag.integer)));
  inside.end();
  return { bits, exponentBits };
}

function bitLength(octets: Uint8Array): number {
  const significant = octets[0] === 0 ? octets.subarray(1) : octets;
  return significant.length === 0 ? 0 : significant.length * 8 - Math.clz32(significant[0]!) + 24;
}
