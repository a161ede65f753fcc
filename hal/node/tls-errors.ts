/** What OpenSSL says, as a `HalError`. */
import type { HalError } from '../hal.js';
import { StreamFailure } from './stream-duplex.js';

/** Alerts that the peer sent appear as `sslv3 alert handshake failure`, `tlsv13 alert certificate required`, `ssl/tls alert …` (OpenSSL 3.5). */
const PEER_ALERT = /(?:sslv3|tlsv1|tlsv13|ssl\/tls) alert ([a-z ]+)/;

/** A failure of a TLS connection. `tls-alert` is the peer's, `tls-protocol` ours, `tls-refused` a certificate that we required and did not get. */
export function tlsError(error: Error): HalError {
  if (error instanceof StreamFailure) return error.failure;
  const { code = '', reason = error.message } = error as Error & { code?: string; reason?: string };
  const alert = PEER_ALERT.exec(reason)?.[1];
  if (alert !== undefined) return { kind: 'tls-alert', detail: `alert ${alert.trim()}` };
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE')
    return { kind: 'tls-refused', detail: 'no-certificate: the peer sent no certificate' };
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return { kind: 'tls-protocol', detail: reason };
  if (code === 'ECONNRESET' || code === 'EPIPE') return DROPPED;
  return { kind: 'other', detail: error.message };
}

/** The connection went away before TLS was through with it. */
export const DROPPED: HalError = { kind: 'reset', detail: 'the connection ended during the TLS handshake' };
