/** errno values as `HalErrorKind`s, in words that say which port or file, and the mend where there is one. */
import { fail } from '../base/result.js';
import type { HalError, HalErrorKind, SocketAddress } from '../hal.js';

const KINDS: Readonly<Record<string, HalErrorKind>> = {
  EADDRINUSE: 'addr-in-use',
  EADDRNOTAVAIL: 'not-found',
  EACCES: 'refused',
  EPERM: 'refused',
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EMSGSIZE: 'too-big',
  EMFILE: 'full',
  ENFILE: 'full',
  ENOBUFS: 'full',
  ENOMEM: 'full',
  ENOENT: 'not-found',
  EIO: 'io',
  ENOSPC: 'io',
  EROFS: 'io',
};

const kindOf = (error: NodeJS.ErrnoException): HalErrorKind => KINDS[error.code ?? ''] ?? 'other';

export const halError = (error: NodeJS.ErrnoException): HalError => ({ kind: kindOf(error), detail: error.message });

/** Why a port could not be opened, for the person who started the program. */
export function bindError(transport: 'UDP' | 'TCP', at: SocketAddress, error: NodeJS.ErrnoException): { ok: false; error: HalError } {
  const kind = kindOf(error);
  const port = `${transport} port ${at.port} at ${at.address}`;
  switch (kind) {
    case 'addr-in-use':
      return fail(kind, `${port} is in use: end the program that has it, or choose another port`);
    case 'refused':
      return fail(kind, `${port} is not permitted: ports below 1024 need privilege, choose one from 1024 on`);
    case 'not-found':
      return fail(kind, `${port}: ${at.address} is not an address of this machine`);
    default:
      return fail(kind, `${port}: ${error.message}`);
  }
}
