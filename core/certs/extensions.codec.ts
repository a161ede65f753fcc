/** The extensions of RFC 5280 part 4.2 that decide whether a certificate may be used. */
import { latin1 } from '../../hal/base/bytes.js';
import { bits, boolean, context, DerCursor, type DerValue, integerOctets, oidText, smallInteger, Tag } from './asn1.js';
import { type Name, readName } from './name.codec.js';
import { Extension } from './oids.js';

/** RFC 5280 part 4.2.1.6. Text is as sent, one character an octet. */
export type GeneralName =
  | { type: 'dns' | 'uri' | 'email'; value: string }
  /** 4 or 16 octets; in a constraint, address and mask of twice the length. */
  | { type: 'ip'; octets: Uint8Array }
  | { type: 'directory'; name: Name }
  | { type: 'other'; tag: number };

/** Bits of KeyUsage (RFC 5280 part 4.2.1.3) by number. */
export const KeyUsage = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5 } as const;

type Critical<T> = { readonly critical: boolean } & Readonly<T>;

export interface Extensions {
  basicConstraints?: Critical<{ authority: boolean; pathLength?: number }>;
  keyUsage?: Critical<{ has(bit: number): boolean }>;
  extKeyUsage?: Critical<{ purposes: readonly string[] }>;
  subjectAltName?: Critical<{ names: readonly GeneralName[] }>;
  nameConstraints?: Critical<{ permitted: readonly GeneralName[]; excluded: readonly GeneralName[] }>;
  subjectKeyIdentifier?: Critical<{ id: Uint8Array }>;
  /** `issuer` and `serial` tell whether the fields are there; only `id` is used. */
  authorityKeyIdentifier?: Critical<{ id?: Uint8Array; issuer: boolean; serial: boolean }>;
  policyConstraints?: Critical<Record<never, never>>;
  /** Object identifiers of critical extensions that Belfry does not act on. */
  unknownCritical: readonly string[];
}
type Known = Omit<Extensions, 'unknownCritical'>;

/** Reads `Extensions` at a cursor; the same extension twice is a fault (RFC 5280 part 4.2). */
export function readExtensions(at: DerCursor): Extensions {
  const list = at.enter();
  if (!list.more) return list.fail('an empty list of extensions');
  const known: Known = {};
  const seen = new Set<string>();
  const unknownCritical: string[] = [];
  list.each((cursor) => {
    const extension = cursor.enter();
    const id = oidText(extension.value(Tag.oid));
    const flag = extension.optional(Tag.boolean);
    const critical = flag !== undefined && boolean(flag);
    const value = DerCursor.within(extension.value(Tag.octetString));
    extension.end();
    if (seen.has(id)) extension.fail(`extension ${id} twice`);
    seen.add(id);
    const read = READERS[id];
    if (read) read(value, critical, known);
    else if (critical) unknownCritical.push(id);
    if (read) value.end();
    if (critical && UNENFORCED.has(id)) unknownCritical.push(id);
  });
  return { ...known, unknownCritical };
}

/** Read, so that malformed ones are noticed, but nothing is done with what they say. */
const UNENFORCED: ReadonlySet<string> = new Set([Extension.policyConstraints, Extension.authorityInfoAccess]);

const READERS: Readonly<Record<string, (value: DerCursor, critical: boolean, into: Known) => void>> = {
  [Extension.basicConstraints]: (value, critical, into) => {
    const inside = value.enter();
    const flag = inside.optional(Tag.boolean);
    const pathLength = inside.optional(Tag.integer);
    inside.end();
    const authority = flag !== undefined && boolean(flag);
    into.basicConstraints = { critical, authority, ...(pathLength ? { pathLength: smallInteger(pathLength) } : {}) };
  },
  [Extension.keyUsage]: (value, critical, into) => {
    const { octets } = bits(value.value(Tag.bitString));
    into.keyUsage = { critical, has: (bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0 };
  },
  [Extension.extKeyUsage]: (value, critical, into) => {
    const inside = value.enter();
    if (!inside.more) inside.fail('an extended key usage without a purpose');
    into.extKeyUsage = { critical, purposes: inside.each((cursor) => oidText(cursor.value(Tag.oid))) };
  },
  [Extension.subjectAltName]: (value, critical, into) => {
    const inside = value.enter();
    if (!inside.more) inside.fail('a subject alternative name without a name');
    into.subjectAltName = { critical, names: inside.each((cursor) => readGeneralName(cursor, 'address')) };
  },
  [Extension.nameConstraints]: (value, critical, into) => {
    const inside = value.enter();
    const permitted = subtrees(inside.optional(context(0)));
    const excluded = subtrees(inside.optional(context(1)));
    inside.end();
    if (permitted.length + excluded.length === 0) inside.fail('name constraints without a subtree');
    into.nameConstraints = { critical, permitted, excluded };
  },
  [Extension.subjectKeyIdentifier]: (value, critical, into) => {
    into.subjectKeyIdentifier = { critical, id: value.value(Tag.octetString).content };
  },
  [Extension.authorityKeyIdentifier]: (value, critical, into) => {
    const inside = value.enter();
    const id = inside.optional(context(0, false))?.content;
    const issuer = inside.optional(context(1)) !== undefined;
    const serial = inside.optional(context(2, false)) !== undefined;
    inside.end();
    into.authorityKeyIdentifier = { critical, ...(id ? { id } : {}), issuer, serial };
  },
  [Extension.policyConstraints]: (value, critical, into) => {
    const inside = value.enter();
    inside.each((cursor) => integerOctets(cursor.value()));
    into.policyConstraints = { critical };
  },
  // Policies limit nothing while no policy is demanded (RFC 5280 part 6.1.1 c, any-policy): known, and passed over.
  [Extension.certificatePolicies]: (value) => {
    value.enter().each((cursor) => cursor.value(Tag.sequence));
  },
  [Extension.authorityInfoAccess]: (value) => {
    const inside = value.enter();
    if (!inside.more) inside.fail('an authority information access without a description');
    inside.each((cursor) => {
      const description = cursor.enter();
      description.value(Tag.oid);
      readGeneralName(description, 'address');
      description.end();
    });
  },
};

function subtrees(value: DerValue | undefined): GeneralName[] {
  if (!value) return [];
  const list = DerCursor.within(value);
  if (!list.more) return list.fail('an empty list of subtrees');
  return list.each((cursor) => {
    const subtree = cursor.enter();
    const base = readGeneralName(subtree, 'range');
    // minimum 0 and no maximum are the only values that RFC 5280 allows, and DER leaves both out.
    subtree.end();
    return base;
  });
}

const TEXT_NAMES: Readonly<Record<number, 'email' | 'dns' | 'uri'>> = {
  [context(1, false)]: 'email',
  [context(2, false)]: 'dns',
  [context(6, false)]: 'uri',
};

function readGeneralName(at: DerCursor, ip: 'address' | 'range'): GeneralName {
  const value = at.value();
  const text = TEXT_NAMES[value.tag];
  if (text) return { type: text, value: latin1(value.content) };
  if (value.tag === context(7, false)) return { type: 'ip', octets: ipOctets(value, ip === 'range' ? 2 : 1) };
  if (value.tag !== context(4)) return { type: 'other', tag: value.tag };
  const inside = DerCursor.within(value);
  const name = readName(inside);
  inside.end();
  return { type: 'directory', name };
}

function ipOctets({ content, ...value }: DerValue, times: number): Uint8Array {
  const known = content.length === 4 * times || content.length === 16 * times;
  return known ? content : DerCursor.within({ content, ...value }).fail('an IP address of a length that no address has');
}
