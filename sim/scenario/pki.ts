/** The authorities of a simulated world, and what they sign: the vendor's for devices, the site's for servers and callers, and a stranger's. */
import {
  type Authorities,
  issueDeviceCertificate,
  issueServerCertificate,
  makeAuthorities,
  yearsAfter,
} from '../../core/certs/authority.js';
import { type Authority, type IssuingPorts, issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import { DAY } from '../../hal/base/time.js';
import type { Der, Entropy, MacAddress, TlsIdentity, UnixMillis } from '../../hal/hal.js';
import type { Platform } from '../../hal/platform.js';
import { parseIpv4 } from '../../hal/stack/index.js';
import type { Authority as AuthorityName, ServerCertificate } from './scenario.js';

/** Test keys by role; each role keeps its own from run to run. */
const KEY = {
  root: 0,
  intermediate: 1,
  issuing: 2,
  site: 3,
  rogue: 4,
  public: 5,
  firstServer: 6,
  firstCaller: 10,
  firstDevice: 16,
  end: 64,
} as const;
/** Callers, and devices, beyond this many share keys: making one takes a fifth of a second. */
const CALLER_KEYS = 6;
const DEVICE_KEYS = 6;
/**
 * Octets of a device's PKCS#8 key. Four in ten RSA-2048 keys have so many, the others some more or fewer, as their numbers happen to
 * begin with zeros; of one length, the flash record is too, and the timeline does not vary with the run.
 */
const DEVICE_KEY_OCTETS = 1217;

const MILLISECONDS_A_DAY = DAY / 1000;
/** Authorities were made that long before the run, devices after them. */
const AUTHORITY_AGE_YEARS = 2;
const DEVICE_AGE_YEARS = 1;

export interface DeviceIdentity {
  /** Leaf first. */
  chain: readonly Der[];
  pkcs8: Der;
}

type TestKey = ReturnType<Platform['testKey']>;

/** Everything follows from the start of the run and the seed's entropy, so that sizes do not vary with the run. */
export class SimPki {
  readonly made: UnixMillis;
  readonly factory: Authorities;
  readonly site: Authority;
  readonly #platform: Platform;
  readonly #ports: IssuingPorts;
  readonly #start: UnixMillis;
  #servers = 0;
  #callers = 0;
  readonly #deviceKeys: TestKey[] = [];
  #devices = 0;
  /** Test keys that were looked at for devices. */
  #tried = 0;

  constructor(options: { platform: Platform; entropy: Entropy; start: UnixMillis }) {
    const { platform, entropy, start } = options;
    this.#platform = platform;
    this.#ports = { crypto: platform.crypto, entropy };
    this.#start = start;
    this.made = yearsAfter(start, -DEVICE_AGE_YEARS);
    const key = (index: number): Authority['key'] => platform.testKey(index).key;
    const keys = { root: key(KEY.root), intermediate: key(KEY.intermediate), issuing: key(KEY.issuing) };
    this.factory = makeAuthorities(this.#ports, { keys, made: yearsAfter(start, -AUTHORITY_AGE_YEARS), organization: 'Belfry' });
    this.site = this.#selfSigned('Site Root CA', KEY.site);
  }

  /** The certificate of an authority, by its name in a scenario. */
  certificateOf(authority: AuthorityName): Der {
    if (authority === 'site') return this.site.certificate;
    return authority === 'factory' ? this.factory.root.certificate : this.#selfSigned('Rogue CA', KEY.rogue).certificate;
  }

  /** What every simulated board trusts from the factory: one public authority, which signs nothing here. */
  publicAuthorities(): readonly Der[] {
    return [this.#selfSigned('Simulated Public CA', KEY.public).certificate];
  }

  device(mac: MacAddress): DeviceIdentity {
    const { key, pkcs8 } = this.#deviceKey();
    const { issuing, intermediate } = this.factory;
    const leaf = issueDeviceCertificate(this.#ports, { mac, made: this.made, publicKey: key.spki, issuer: issuing });
    return { chain: [leaf, issuing.certificate, intermediate.certificate], pkcs8 };
  }

  caller(name: string): TlsIdentity {
    const { key } = this.#platform.testKey(KEY.firstCaller + (this.#callers++ % CALLER_KEYS));
    const template = { subject: { commonName: name }, from: this.made, until: yearsAfter(this.made, 3), publicKey: key.spki };
    return { chain: [issueCertificate(this.#ports, { ...template, purposes: ['clientAuth'] }, this.site)], key };
  }

  /** `host` is a DNS name or an IPv4 address. */
  server(host: string, kind: ServerCertificate): TlsIdentity {
    const { key } = this.#platform.testKey(KEY.firstServer + this.#servers++);
    const issuer = kind === 'rogue' ? this.#selfSigned('Rogue CA', KEY.rogue) : this.site;
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
