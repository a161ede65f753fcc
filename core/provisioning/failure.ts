/** Why a provisioning run came to nothing, for people: every failure names its stage and what mends it. */
import type { HalError, HalErrorKind, Micros } from '../../hal/hal.js';
import type { ResponseHead } from '../http/message.codec.js';
import { retryAfter } from '../http/retry-after.js';

export interface ProvisioningFailure {
  /** Where it ended: choosing the server, its name, the connection, TLS, the files, their checksums, the settings in them, their trial, the flash. */
  stage: 'server' | 'name' | 'connect' | 'tls' | 'download' | 'integrity' | 'settings' | 'confirm' | 'storage';
  kind: HalErrorKind;
  detail: string;
  mend: string;
  /** The server asked to be left alone for so long, in µs; it may be any time. */
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
      return { stage: 'tls', ...error, mend: 'the event tls.refused says what to change; most often the port is that of plain HTTP' };
    case 'unsupported':
      return {
        stage: 'tls',
        ...error,
        mend: 'replace the certificate that tls.refused names; where it names none, use a board and firmware with TLS',
      };
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

/** A final answer that is neither the file nor its absence. */
export function statusFailure(file: string, { status, fields }: Pick<ResponseHead, 'status' | 'fields'>): ProvisioningFailure {
  const wait = retryAfter(fields);
  const failure = (kind: HalErrorKind, mend: string): ProvisioningFailure => ({
    ...downloadFailure(kind, `${file}: the server answers ${status}`, mend),
    ...(wait === undefined ? {} : { retryAfter: wait }),
  });
  // nginx answers a missing or unknown client certificate with 400, inside TLS.
  if (status === 400 || status === 403) {
    return failure('refused', 'check that the server trusts the device certificate and lets it read the file');
  }
  if (status === 407) return failure('unsupported', 'a proxy stands between: let the device reach the server without it');
  if (status >= 300 && status < 400)
    return failure('unsupported', 'let the server answer with the file, or redirect with 301, 302, 307 or 308');
  if (status === 429 || status === 503) return failure('other', 'the server is busy or down for a while; it is tried again');
  return failure('other', 'look into the log of the server; it is tried again');
}

const LOGINS: Readonly<Record<'none' | 'wrong' | 'not-understood' | 'elsewhere', { says: string; mend: string }>> = {
  none: {
    says: 'the server answers 401: it asks for a user name and password',
    mend: 'set prov.auth.user and prov.auth.pwd, or let the server take the certificate of the device in their place',
  },
  wrong: {
    says: 'the server answers 401 to the user name and password of this device',
    mend: 'check prov.auth.user and prov.auth.pwd against what the server has',
  },
  'not-understood': {
    says: 'the server answers 401 and asks for a login that this device has not',
    mend: 'let the server ask for Basic or Digest, and set prov.auth.user without a colon in it',
  },
  elsewhere: {
    says: 'the server answers 401, and is not the one that was named',
    mend: 'name that server itself: prov.auth.user and prov.auth.pwd are given to no other than the one that is named',
  },
};

/** A 401 that is the end of it. */
export function loginFailure(file: string, why: keyof typeof LOGINS): ProvisioningFailure {
  const { says, mend } = LOGINS[why];
  return downloadFailure('refused', `${file}: ${says}`, mend);
}

export const redirectFailure = (file: string, detail: string): ProvisioningFailure =>
  downloadFailure(
    'unsupported',
    `${file}: ${detail}`,
    'name the server that has the files; redirects are followed, five at most, and never away from https',
  );

export const encodingFailure = (file: string, coding: string): ProvisioningFailure =>
  downloadFailure(
    'unsupported',
    `${file}: the server sends it as ${coding}, unasked`,
    'switch compression off for settings files on the server',
  );

/** The companion of a file does not vouch for it. */
export const integrityFailure = (kind: HalErrorKind, detail: string, mend: string): ProvisioningFailure => ({
  stage: 'integrity',
  kind,
  detail,
  mend,
});

export const downloadFailure = (kind: HalErrorKind, detail: string, mend: string): ProvisioningFailure => ({
  stage: 'download',
  kind,
  detail,
  mend,
});

const named = (file: string, error: HalError): HalError => ({ kind: error.kind, detail: `${file}: ${error.detail}` });
