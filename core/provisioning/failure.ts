/** Why a provisioning run came to nothing, for people: every failure names its stage and what mends it. */
import type { HalError, HalErrorKind, Micros } from '../../hal/hal.js';

export interface ProvisioningFailure {
  /** Where it ended: choosing the server, its name, the connection, TLS, the files, the settings in them, the flash. */
  stage: 'server' | 'name' | 'connect' | 'tls' | 'download' | 'settings' | 'storage';
  kind: HalErrorKind;
  detail: string;
  mend: string;
  /** The server asked to be left alone for so long. */
  retryAfter?: Micros;
}

export const nameFailure = (host: string, error: HalError): ProvisioningFailure => ({
  stage: 'name',
  ...error,
  mend: `check that ${host} is the server's name, and that the name server the network gave knows it`,
});

/** A failure of the stream or of what came over it. */
export function transferFailure(file: string, error: HalError): ProvisioningFailure {
  switch (error.kind) {
    case 'tls-refused':
      return { stage: 'tls', ...error, mend: 'the event tls.refused names certificate, rule and clock; nothing was sent' };
    case 'tls-alert':
      return {
        stage: 'tls',
        ...error,
        mend: 'check that the server trusts the chain of the device certificate, and speaks a TLS version of this firmware',
      };
    case 'tls-protocol':
      return { stage: 'tls', ...error, mend: 'check that the port speaks TLS: plain HTTP has another one' };
    case 'unsupported':
      return { stage: 'tls', ...error, mend: 'use a server without TLS, or a board and firmware that have it' };
    case 'refused':
    case 'unreachable':
      return { stage: 'connect', ...error, mend: 'check that the server runs, and that the network lets the device reach its port' };
    case 'timeout':
    case 'reset':
    case 'closed':
      return { stage: 'download', ...named(file, error), mend: 'check the server and the network between; it is tried again' };
    case 'too-big':
      return { stage: 'download', ...named(file, error), mend: 'put a settings file of at most 64 KiB on the server' };
    default:
      return { stage: 'download', ...named(file, error), mend: 'check what the server answers' };
  }
}

/** A final answer that is neither the file nor its absence. Redirects are not followed. */
export function statusFailure(file: string, status: number): ProvisioningFailure {
  const failure = (kind: HalErrorKind, mend: string): ProvisioningFailure => ({
    stage: 'download',
    kind,
    detail: `${file}: the server answers ${status}`,
    mend,
  });
  if (status === 401)
    return failure('refused', 'the server asks for a user name and password: let the certificate of the device do instead');
  // nginx answers a missing or unknown client certificate with 400, inside TLS.
  if (status === 400 || status === 403)
    return failure('refused', 'check that the server trusts the device certificate and lets it read the file');
  if (status >= 300 && status < 400) return failure('unsupported', 'name the server that has the files: redirects are not followed');
  return failure('other', 'look into the log of the server; it is tried again');
}

const named = (file: string, error: HalError): HalError => ({ kind: error.kind, detail: `${file}: ${error.detail}` });
