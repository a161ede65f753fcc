/** The authorities of a simulated world, and what they sign: the vendor's for devices, the site's for servers and callers, and a stranger's. */
import {
  type Authorities,
  issueDeviceCertificate,
  issueServerCertificate,
  makeAuthorities,
  yearsAfter,
} from '../../core/certs/authority.js';
import { type Authority, type IssuingPorts, issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { writePem } from '../../core/certs/pem.codec.js';
import { utf8 } from '../../hal/base/bytes.js';
import { DAY, fromIso8601 } from '../../hal/base/time.js';
import type { Der, Entropy, MacAddress, TlsIdentity, UnixMillis } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import { parseIpv4 } from '../../hal/stack/index.js';
import type { Authority as AuthorityName, FileSource, ServerCertificate } from './scenario.js';

/** Test keys by role; each role keeps its own from run to run. */
const KEY = {
  root: 0,
  intermediate: 1,
  issuing: 2,
  site: 3,
  rogue: 4,
  public: 5,
  renewed: 6,
  firstServer: 7,
  firstCaller: 10,
  firstDevice: 16,
  end: 64,
} as const;
/** Callers, and devices, beyond this many share keys: making one takes a fifth of a second, and of those for devices two in five will do. */
const CALLER_KEYS = 6;
const DEVICE_KEYS = 3;
/**
 * Octets of a device's PKCS#8 key. Four in ten RSA-2048 keys have so many, the others some more or fewer, as their numbers happen to
 * begin with zeros; of one length, the flash record is too, and the timeline does not vary with the run.
 */
const DEVICE_KEY_OCTETS = 1217;

const MILLISECONDS_A_DAY = DAY / 1000;
/** Authorities were made that long before the run, devices after them. */
const AUTHORITY_AGE_YEARS = 2;
const DEVICE_AGE_YEARS = 1;
/** `seed`: units made in 2019 or later have a device certificate. */
const FIRST_DEVICE_CERTIFICATES = fromIso8601('2019-01-01T00:00:00Z')!;
const CLIENT_YEARS = 3;

export interface DeviceIdentity {
  /** Leaf first. */
  chain: readonly Der[];
  pkcs8: Der;
}

type TestKey = ReturnType<Platform['testKey']>;

/** Everything follows from the start of the run and the seed's entropy, so that sizes do not vary with the run. */
export class SimPki {
  /** When devices were made, unless told otherwise. */
  readonly made: UnixMillis;
  readonly factory: Authorities;
  readonly site: Authority;
  readonly #platform: Platform;
  readonly #ports: IssuingPorts;
  readonly #start: UnixMillis;
  /** A server keeps its key when its certificate is renewed. */
  readonly #serverKeys = new Map<string, TestKey['key']>();
  #callers = 0;
  readonly #deviceKeys: TestKey[] = [];
  #devices = 0;
  /** Test keys that were looked at for devices. */
  #tried = 0;

  /** `oldest`: when the oldest device was made. */
  constructor(options: { platform: Platform; entropy: Entropy; start: UnixMillis; oldest?: UnixMillis }) {
    const { platform, entropy, start } = options;
    this.#platform = platform;
    this.#ports = { crypto: platform.crypto, entropy };
    this.#start = start;
    this.made = yearsAfter(start, -DEVICE_AGE_YEARS);
    const key = (index: number): Authority['key'] => platform.testKey(index).key;
    const keys = { root: key(KEY.root), intermediate: key(KEY.intermediate), issuing: key(KEY.issuing) };
    const founded = Math.min(yearsAfter(start, -AUTHORITY_AGE_YEARS), yearsAfter(options.oldest ?? start, -1));
    this.factory = makeAuthorities(this.#ports, { keys, made: founded, organization: 'Belfry' });
    this.site = this.#selfSigned('Site Root CA', KEY.site);
  }

  /** The certificate of an authority, by its name in a scenario. */
  certificateOf(authority: AuthorityName): Der {
    if (authority === 'factory') return this.factory.root.certificate;
    return this.#authority(authority).certificate;
  }

  /** What every simulated board trusts from the factory: one public authority, which signs nothing here. */
  publicAuthorities(): readonly Der[] {
    return [this.#selfSigned('Simulated Public CA', KEY.public).certificate];
  }

  /** Undefined for a unit from before there were any. */
  device(mac: MacAddress, made: UnixMillis): DeviceIdentity | undefined {
    if (made < FIRST_DEVICE_CERTIFICATES) return undefined;
    const { key, pkcs8 } = this.#deviceKey();
    const { issuing, intermediate } = this.factory;
    const leaf = issueDeviceCertificate(this.#ports, { mac, made, publicKey: key.spki, issuer: issuing });
    return { chain: [leaf, issuing.certificate, intermediate.certificate], pkcs8 };
  }

  caller(name: string): TlsIdentity {
    const { key } = this.#platform.testKey(KEY.firstCaller + (this.#callers++ % CALLER_KEYS));
    return { chain: [this.#client(name, key.spki)], key };
  }

  /** A file as someone would have it to put on a device: PEM. */
  file(source: FileSource): Uint8Array {
    if ('authority' in source) return utf8(writePem('CERTIFICATE', this.certificateOf(source.authority)));
    const { key, pkcs8 } = this.#deviceKey();
    return utf8(writePem('CERTIFICATE', this.#client(source.identity, key.spki)) + writePem('PRIVATE KEY', pkcs8));
  }

  /** `host` is a DNS name or an IPv4 address. */
  server(host: string, kind: ServerCertificate): TlsIdentity {
    const key = this.#serverKeys.get(host) ?? this.#platform.testKey(KEY.firstServer + this.#serverKeys.size).key;
    this.#serverKeys.set(host, key);
    const issuer = this.#authority(kind === 'rogue' || kind === 'renewed' ? kind : 'site');
    const name = kind === 'wrong-name' ? `other.${host}` : host;
    const until = kind === 'expired' ? this.#start - MILLISECONDS_A_DAY : yearsAfter(this.#start, 1);
    const leaf = issueServerCertificate(this.#ports, {
      names: [{ type: parseIpv4(name) === undefined ? 'dns' : 'ip', value: name }],
      from: this.made,
      until,
      publicKey: key.spki,
      issuer,
    });
    return { chain: [leaf], key };
  }

  #client(commonName: string, publicKey: Der): Der {
    const template = { subject: { commonName }, from: this.made, until: yearsAfter(this.made, CLIENT_YEARS), publicKey };
    return issueCertificate(this.#ports, { ...template, purposes: ['clientAuth'] }, this.site);
  }

  #authority(name: 'site' | 'renewed' | 'rogue'): Authority {
    if (name === 'site') return this.site;
    return name === 'renewed' ? this.#selfSigned('Renewed Site Root CA', KEY.renewed) : this.#selfSigned('Rogue CA', KEY.rogue);
  }

  #deviceKey(): TestKey {
    const made = this.#deviceKeys[this.#devices++ % DEVICE_KEYS];
    if (made) return made;
    let index: number = Math.min(KEY.firstDevice + this.#tried, KEY.end - 1);
    while (index + 1 < KEY.end && this.#platform.testKey(index).pkcs8.length !== DEVICE_KEY_OCTETS) index++;
    this.#tried = index + 1 - KEY.firstDevice;
    const key = this.#platform.testKey(index);
    this.#deviceKeys.push(key);
    return key;
  }

  #selfSigned(commonName: string, keyIndex: number): Authority {
    const { key } = this.#platform.testKey(keyIndex);
    const from = yearsAfter(this.#start, -AUTHORITY_AGE_YEARS);
    const template = { subject: { commonName, organization: 'Belfry' }, from, until: yearsAfter(from, 20), authority: {} };
    return { certificate: issueSelfSigned(this.#ports, template, key), key };
  }
}
