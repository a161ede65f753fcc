/**
 * The device's certificates: the public authorities preinstalled in the factory partition, what the administrator put into `certs/`, and
 * the identity from manufacture (`seed`, "TLS Certificates", "Algo Device Certificates", "Uploading Public CA Certificates").
 */
import type { Crypto, Der, TlsIdentity } from '../../hal/hal.js';
import type { Features } from '../device/features.js';
import type { Emit, TlsService } from '../kernel/events.js';
import type { FactoryContent } from '../storage/factory.codec.js';
import { context, readDer, Tag } from './asn1.js';
import { type Certificate, readCertificate } from './certificate.codec.js';
import { type FileFault, readIdentity, readTrusted } from './certificate-file.codec.js';
import { type Name, readName } from './name.codec.js';
import type { Anchor, AnchorIndex } from './path.policy.js';

/** Where uploads are read from: the file store, or a map in a test. */
export interface CertificateFiles {
  list(prefix?: string): readonly string[];
  read(path: string): Uint8Array | undefined;
}

export interface CertificateStoreOptions {
  files: CertificateFiles;
  factory: Pick<FactoryContent, 'identity' | 'anchors'>;
  crypto: Pick<Crypto, 'importKey'>;
  emit: Emit;
  features: Pick<Features, 'deviceCertificate' | 'trustedUpload'>;
}

export interface CertificateStore {
  readonly anchors: AnchorIndex;
  /** What we present for a service; undefined where there is none: a unit from before 2019, a web server without `httpd.pem`. */
  identity(service: TlsService): TlsIdentity | undefined;
  /** Reads `certs/` again and reports each file; connections made from now on use what was read. A file that broke keeps what it was. */
  reload(): void;
}

const TRUSTED = 'certs/trusted/';
const CLIENT_IDENTITY = 'certs/sipclient.pem';
const WEB_IDENTITY = 'certs/httpd.pem';

export function createCertificateStore(options: CertificateStoreOptions): CertificateStore {
  const { files, factory, crypto, emit, features } = options;
  const preinstalled = new PreinstalledAnchors(factory.anchors.certificates);
  const identities = new Map<string, TlsIdentity>();
  const trusted = new Map<string, readonly Certificate[]>();
  const fromFactory = features.deviceCertificate ? factoryIdentity(factory.identity, crypto) : undefined;

  const refused = (file: string, fault: FileFault): void => emit('certs.refused', { file, ...fault });
  const loadIdentity = (file: string): void => {
    const octets = files.read(file);
    if (!octets) identities.delete(file);
    const identity = octets && readIdentity(octets, crypto);
    if (identity?.ok) {
      const { chain, key, leaf } = identity.value;
      identities.set(file, { chain, key });
      emit('certs.accepted', { file, subject: leaf.subject.text });
    } else if (identity) refused(file, identity.error);
  };
  const loadTrusted = (): void => {
    const present = files.list(TRUSTED);
    for (const file of trusted.keys()) if (!present.includes(file)) trusted.delete(file);
    for (const file of present) {
      const certificates = readTrusted(files.read(file) ?? new Uint8Array(0));
      if (!certificates.ok) refused(file, certificates.error);
      else {
        trusted.set(file, certificates.value);
        emit('certs.accepted', { file, subject: subjects(certificates.value) });
      }
    }
  };
  const reload = (): void => {
    if (features.trustedUpload) loadTrusted();
    loadIdentity(CLIENT_IDENTITY);
    loadIdentity(WEB_IDENTITY);
  };
  reload();
  return {
    anchors: {
      // The administrator's own come first: what they put there on purpose is the likelier answer.
      bySubject: (name) => [...uploadedAnchors(trusted, name), ...preinstalled.bySubject(name)],
    },
    identity: (service) => (service === 'web' ? identities.get(WEB_IDENTITY) : (identities.get(CLIENT_IDENTITY) ?? fromFactory)),
    reload,
  };
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
