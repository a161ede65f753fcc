/**
 * A Buffer is a Uint8Array whose `slice` shares memory where Uint8Array's copies: the core must never be handed one.
 * The view shares the octets with the Buffer.
 */
export const plain = (buffer: Uint8Array): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** One certificate or key as PEM (RFC 7468). */
export function pem(label: 'CERTIFICATE', der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return [`-----BEGIN ${label}-----`, ...(lines ?? []), `-----END ${label}-----`, ''].join('\n');
}
