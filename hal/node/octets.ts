/**
 * A Buffer is a Uint8Array whose `slice` shares memory where Uint8Array's copies: the core must never be handed one.
 * The view shares the octets with the Buffer.
 */
export const plain = (buffer: Uint8Array): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** One certificate or key as PEM (RFC 7468). */
export const pem = (label: 'CERTIFICATE', der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')}\n-----END ${label}-----\n`;
