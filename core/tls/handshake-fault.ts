/** Why a handshake failed that no verdict ended: in the words of `tls.refused`, with what mends it. */
import type { Certificate } from '../certs/certificate.codec.js';
import { type Fault, fault } from '../certs/fault.js';
import type { TlsService } from '../kernel/events.js';

/** The uploaded file with our identity for a service. */
export const fileOf = (service: TlsService): string => (service === 'web' ? 'certs/httpd.pem' : 'certs/sipclient.pem');

/** What the peer sent was not what TLS asks for. `detail` is the engine's. */
export function protocolFault(detail: string): Fault {
  if (/version number|http request|packet length/.test(detail))
    return fault('version', undefined, detail, 'check that the port speaks TLS: plain HTTP and SIP have others');
  if (/cipher/.test(detail))
    return fault('version', undefined, detail, 'let the peer offer a cipher suite that this firmware has: ECDHE with AES-GCM suits all');
  if (/version|protocol/.test(detail)) return fault('version', undefined, detail);
  return fault('malformed', undefined, detail, "look at the peer's log, and at what stands between it and the device");
}

/** The peer ended the handshake with an alert (RFC 8446 part 6.2). `own` is the certificate that we had to show. */
export function alertFault(detail: string, own: Certificate | undefined): Fault {
  if (/protocol version|insufficient security/.test(detail)) return fault('version', own, detail);
  if (own) return fault('refused-by-peer', own, detail);
  return fault('refused-by-peer', undefined, detail, 'give this device a certificate: upload certs/sipclient.pem; it has none to show');
}
