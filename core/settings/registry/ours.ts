/**
 * Settings whose key or whose values the vendor has not published: each one that is ours stands here, and nowhere else, so that a real one
 * takes its place in one line. Labels are the vendor's where the web interface is documented.
 */
import { CURRENT, onPage, unless } from '../setting.js';
import { choice, flag, listOf, text, whole } from '../value-types.js';
import { ADVANCED_SIP, FEATURES, PROVISIONING } from './pages.js';

const features = onPage(FEATURES);
const provisioning = onPage(PROVISIONING);
const sip = onPage(ADVANCED_SIP);

/** RFC 4568, RFC 6188 and RFC 7714 suites in the vendor's lower case; the first is the vendor's default. */
const SRTP_SUITES = [
  'aes_cm_128_hmac_sha1_80',
  'aes_cm_128_hmac_sha1_32',
  'aes_256_cm_hmac_sha1_80',
  'aes_256_cm_hmac_sha1_32',
  'aead_aes_128_gcm',
  'aead_aes_256_gcm',
] as const;

export const OURS = {
  /** A file name, `Default` or `None`; the vendor's default is a tone. */
  'audio.page.tone': features({ label: 'Page Tone', read: text, default: 'None', provenance: 'ours', effect: 'stored' }),
  'prov.confirm': provisioning({
    label: 'Confirm by Registration Within (seconds)',
    read: whole(0, 86_400),
    default: '300',
    provenance: 'ours',
  }),
  'prov.md5': provisioning({ label: 'MD5 Checksum', read: choice('use', 'require', 'off'), default: 'use', provenance: 'ours' }),
  'prov.server.method': provisioning({
    label: 'Server Method',
    read: choice('auto', 'static', 'none'),
    default: 'auto',
    provenance: 'ours',
  }),
  /** Blank follows the transport: `proxy` with TLS, else `any`. */
  'sip.accept': sip({
    label: 'Accept Calls From',
    read: choice('', 'any', 'proxy'),
    default: '',
    provenance: 'ours',
    needsRestart: true,
  }),
  /** The vendor's default is blank, which it documents as Disabled. */
  'sip.srtp': sip({
    label: 'SDP SRTP Offer',
    read: choice('', 'optional', 'standard'),
    default: '',
    provenance: 'ours',
    on: CURRENT,
    needs: { feature: 'srtp', when: unless('') },
    needsRestart: true,
  }),
  'sip.srtp.insecure': sip({
    label: 'SRTP Keys Over Unencrypted Signalling',
    read: choice('warn', 'refuse'),
    default: 'warn',
    provenance: 'ours',
    on: CURRENT,
    needsRestart: true,
  }),
  'sip.srtp.suite': sip({
    label: 'SDP SRTP Offer Crypto Suite',
    read: listOf(...SRTP_SUITES),
    default: SRTP_SUITES[0],
    provenance: 'ours',
    on: CURRENT,
    needsRestart: true,
  }),
  'sip.tls.cert': sip({
    label: 'Validate Server Certificate',
    read: flag,
    default: ({ sipValidateDefault }) => (sipValidateDefault ? '1' : '0'),
    provenance: 'ours',
    on: CURRENT,
    needs: { feature: 'tls', when: unless('', '0') },
    needsRestart: true,
  }),
  'sip.tls.force': sip({
    label: 'Force secure TLS Version',
    read: flag,
    default: '0',
    provenance: 'ours',
    on: CURRENT,
    needs: { feature: 'forceSecureTls', when: unless('', '0') },
    needsRestart: true,
  }),
  /** RFC 5922 part 7.2 forbids `*.example.com` for SIP servers; some providers have nothing else. */
  'sip.tls.wildcard': sip({
    label: 'Accept Wildcard Certificates',
    read: flag,
    default: '0',
    provenance: 'ours',
    on: CURRENT,
    needs: { feature: 'tls', when: unless('', '0') },
    needsRestart: true,
  }),
  'sip.transp': sip({
    label: 'SIP Transportation',
    read: choice('auto', 'udp', 'tcp', 'tls'),
    default: 'auto',
    provenance: 'ours',
    on: CURRENT,
    needs: { feature: 'tls', when: (value) => value === 'tls' },
    needsRestart: true,
  }),
};
