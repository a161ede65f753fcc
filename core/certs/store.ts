/**
 * The device's certificates: the public authorities preinstalled in the factory partition, what the administrator put into `certs/`, and
 * the identity from manufacture (`seed`, "TLS Certificates", "Algo Device Certificates", "Uploading Public CA Certificates").
 */
import { equal } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import type { Crypto, Der, Result, TlsIdentity, UnixMillis } from '../../hal/hal.js';
import type { Features } from '../device/features.js';
import type { Emit, TlsService } from '../kernel/events.js';
import type { FactoryContent } from '../storage/factory.codec.js';
import { context, readDer, Tag } from './asn1.js';
import { type Certificate, readCertificate } from './certificate.codec.js';
import type { FileFault } from './certificate-file.codec.js';
import { type Name, readName } from './name.codec.js';
import type { Anchor, AnchorIndex } from './path.policy.js';
import { RefusedPeers } from './refused-peers.js';
import {
  type AcceptedFile,
  CLIENT_IDENTITY,
  type Identity,
  type IdentityPath,
  isIdentityPath,
  judgeUpload,
  readIdentity,
  readTrusted,
  TRUSTED,
  type Upload,
  WEB_IDENTITY,
} from './upload.policy.js';

/** Where uploads are read from: the file store, or a map in a test. */
export interface CertificateFiles {
  list(prefix?: string): readonly string[];
  read(path: string): Uint8Array | undefined;
}

export interface CertificateStoreOptions {
  files: CertificateFiles;
  factory: Pick<FactoryContent, 'identity' | 'anchors'>;
  crypto: Pick<Crypto, 'importKey' | 'digest' | 'hmac'>;
  emit: Emit;
  features: Pick<Features, 'deviceCertificate' | 'trustedUpload'>;
}

export interface CertificateStore {
  readonly anchors: AnchorIndex;
  /** What we present for a service; undefined where there is none: a unit from before 2019, a web server without `httpd.pem`. */
  identity(service: TlsService): TlsIdentity | undefined;
  /** Names (DER) of the uploaded authorities, for a CertificateRequest. The preinstalled ones issue no certificates to phones. */
  issuers(): readonly Der[];
  /** Everything that can be said about a file before it is put at `path`; nothing is changed. */
  judge(path: string, file: Uint8Array, options: JudgeOptions): Result<AcceptedFile, FileFault>;
  /**
   * Reads `certs/` again and reports each file that is new, different or gone; connections made from now on use what was read. A file that
   * broke keeps what it was.
   */
  reload(): void;
  /** When the device's own certificates and the uploaded ones end. Of preinstalled authorities nothing is said: nobody here can renew them. */
  expiries(): readonly Expiry[];
  readonly refusedPeers: RefusedPeers;
}

export interface JudgeOptions {
  passphrase?: string;
  wall: Upload['wall'];
}

export interface Expiry {
  /** A path, or `factory`. */
  file: string;
  subject: string;
  notAfter: UnixMillis;
}

export const createCertificateStore = (options: CertificateStoreOptions): CertificateStore => new FileCertificateStore(options);

class FileCertificateStore implements CertificateStore {
  readonly anchors: AnchorIndex;
  readonly refusedPeers: RefusedPeers;
  readonly #options: CertificateStoreOptions;
  readonly #identities = new Map<string, Identity>();
  readonly #trusted = new Map<string, readonly Certificate[]>();
  /** Files as they were last read, good or not. */
  readonly #seen = new Map<string, Uint8Array>();
  readonly #factory: TlsIdentity | undefined;

  constructor(options: CertificateStoreOptions) {
    const { factory, crypto, features } = options;
    this.#options = options;
    this.refusedPeers = new RefusedPeers(crypto);
    this.#factory = features.deviceCertificate ? factoryIdentity(factory.identity, crypto) : undefined;
    const preinstalled = new PreinstalledAnchors(factory.anchors.certificates);
    // The administrator's own come first: what they put there on purpose is the likelier answer.
    this.anchors = { bySubject: (name) => [...uploadedAnchors(this.#trusted, name), ...preinstalled.bySubject(name)] };
    this.reload();
  }

  identity(service: TlsService): TlsIdentity | undefined {
    if (service === 'web') return this.#identities.get(WEB_IDENTITY);
    return this.#identities.get(CLIENT_IDENTITY) ?? this.#factory;
  }

  issuers(): readonly Der[] {
    return [...this.#trusted.values()].flat().map(({ subject }) => subject.der);
  }

  judge(path: string, file: Uint8Array, options: JudgeOptions): Result<AcceptedFile, FileFault> {
    const { crypto } = this.#options;
    return judgeUpload({ ...options, path, file, crypto, wasRefused: ({ der }) => this.refusedPeers.has(der) });
  }

  reload(): void {
    const { files, features, emit } = this.#options;
    const trusted = features.trustedUpload ? files.list(TRUSTED) : [];
    const present = new Set([...trusted, CLIENT_IDENTITY, WEB_IDENTITY].filter((path) => files.read(path)));
    for (const path of this.#seen.keys()) {
      if (present.has(path)) continue;
      for (const known of [this.#seen, this.#trusted, this.#identities]) known.delete(path);
      emit('certs.removed', { file: path });
    }
    for (const path of present) this.#read(path, files.read(path)!);
  }

  expiries(): readonly Expiry[] {
    const uploaded = [...this.#trusted, ...[...this.#identities].map(([file, { certificates }]) => [file, certificates] as const)];
    const factory = (this.#factory?.chain ?? []).map(readCertificate).flatMap((read) => (read.ok ? [read.value] : []));
    return [['factory', factory] as const, ...uploaded].flatMap(([file, certificates]) =>
      certificates.map(({ subject, notAfter }) => ({ file, subject: subject.text, notAfter })),
    );
  }

  #read(path: string, file: Uint8Array): void {
    const { emit, crypto } = this.#options;
    const seen = this.#seen.get(path);
    if (seen && equal(seen, file)) return;
    this.#seen.set(path, file);
    const subject = isIdentityPath(path) ? this.#readIdentity(path, file, crypto) : this.#readTrusted(path, file, crypto);
    if (subject.ok) emit('certs.accepted', { file: path, subject: subject.value });
    else emit('certs.refused', { file: path, ...subject.error });
  }

  #readIdentity(path: IdentityPath, file: Uint8Array, crypto: CertificateStoreOptions['crypto']): Result<string, FileFault> {
    const identity = readIdentity(path, file, { crypto });
    if (!identity.ok) return identity;
    this.#identities.set(path, identity.value);
    return ok(identity.value.certificates[0].subject.text);
  }

  #readTrusted(path: string, file: Uint8Array, crypto: CertificateStoreOptions['crypto']): Result<string, FileFault> {
    const certificates = readTrusted(file, { crypto });
    if (!certificates.ok) return certificates;
    this.#trusted.set(path, certificates.value);
    return ok(subjects(certificates.value));
  }
}

const subjects = ([first, ...others]: readonly Certificate[]): string =>
  others.length === 0 ? first!.subject.text : `${first!.subject.text} and ${others.length} more`;

const keyOf = (name: Name): string => name.key.join('/');

function uploadedAnchors(files: ReadonlyMap<string, readonly Certificate[]>, name: Name): Anchor[] {
  const wanted = keyOf(name);
  return [...files.values()]
    .flat()
    .filter(({ subject }) => keyOf(subject) === wanted)
    .map((certificate) => ({ certificate, origin: 'uploaded' }));
}

function factoryIdentity(identity: FactoryContent['identity'], crypto: Pick<Crypto, 'importKey'>): TlsIdentity | undefined {
  const key = identity && crypto.importKey(identity.pkcs8);
  return key?.ok ? { chain: identity!.chain, key: key.value } : undefined;
}

/** Indexed by subject when first asked, and each certificate read when its subject is asked for: a device trusts 150, and meets two. */
class PreinstalledAnchors implements AnchorIndex {
  #index: Map<string, Der[]> | undefined;
  readonly #read = new Map<Der, Anchor | undefined>();

  constructor(readonly certificates: readonly Der[]) {}

  bySubject(name: Name): readonly Anchor[] {
    this.#index ??= this.#build();
    return (this.#index.get(keyOf(name)) ?? []).map((der) => this.#anchor(der)).filter((anchor) => anchor !== undefined);
  }

  #build(): Map<string, Der[]> {
    const index = new Map<string, Der[]>();
    for (const der of this.certificates) {
      const subject = readSubject(der);
      if (!subject) continue;
      const known = index.get(keyOf(subject));
      if (known) known.push(der);
      else index.set(keyOf(subject), [der]);
    }
    return index;
  }

  #anchor(der: Der): Anchor | undefined {
    if (!this.#read.has(der)) {
      const certificate = readCertificate(der);
      this.#read.set(der, certificate.ok ? { certificate: certificate.value, origin: 'preinstalled' } : undefined);
    }
    return this.#read.get(der);
  }
}

/** Only as far as the subject. */
function readSubject(der: Der): Name | undefined {
  const subject = readDer(der, (top) => {
    const tbs = top.enter().enter();
    tbs.optional(context(0));
    tbs.value(Tag.integer);
    for (let skipped = 0; skipped < 3; skipped++) tbs.value(Tag.sequence);
    return readName(tbs);
  });
  return subject.ok ? subject.value : undefined;
}
