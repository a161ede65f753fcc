/** Readers of what devices and servers hold: files, settings, certificates. */
import { oneOf, parsed, type Reader, record, text } from './reader.js';
import type { Authority, FileSource, Values } from './scenario.js';

/** Settings by key. */
export const values: Reader<Values> = record(text);

const AUTHORITIES: readonly Authority[] = ['site', 'renewed', 'factory', 'rogue'];

function readFileSource(written: string): FileSource | undefined {
  const [, kind, name = ''] = /^(ca|identity):([A-Za-z0-9][A-Za-z0-9.-]{0,63})$/.exec(written) ?? [];
  if (kind === 'identity') return { identity: name };
  const authority = kind === 'ca' ? AUTHORITIES.find((known) => known === name) : undefined;
  return authority && { authority };
}

/** `ca:site`, the certificate of an authority; `identity:lobby-2`, a client certificate for that name with its key, both from the site's. */
export const fileSource: Reader<FileSource> = parsed(
  readFileSource,
  `one of ${AUTHORITIES.map((name) => `ca:${name}`).join(', ')}, or identity:NAME`,
  { pattern: `^(ca:(${AUTHORITIES.join('|')})|identity:[A-Za-z0-9][A-Za-z0-9.-]*)$` },
);

export const serverCertificate = oneOf('good', 'rogue', 'expired', 'wrong-name', 'renewed');
