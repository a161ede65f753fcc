/** ITU-T G.711: PCM of 64 kbit/s, one octet a sample at 8 kHz. Both laws expand by table and compress by their segment rule. */

/** Encoding names of RFC 3551 4.5.14. */
export type G711Codec = 'PCMU' | 'PCMA';

/** Static payload types (RFC 3551 6). */
export const G711_PAYLOAD_TYPE: Readonly<Record<G711Codec, number>> = { PCMU: 0, PCMA: 8 };
/** G.711 table 2a: 14-bit values are scaled to 16 bits, so the bias of 33 becomes 132. */
const MU_BIAS = 132;
const MU_CLIP = 32635;

function expandMu(octet: number): number {
  const code = ~octet & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + MU_BIAS) << ((code >> 4) & 7)) - MU_BIAS;
  return code & 0x80 ? -magnitude : magnitude;
}

function compressMu(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), MU_CLIP) + MU_BIAS;
  // The segment is the place of the leading bit above the seventh.
  const segment = 24 - Math.clz32(magnitude);
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

/** G.711 table 1a: 13-bit values scaled to 16 bits, even bits inverted. */
const A_INVERSION = 0x55;

function expandA(octet: number): number {
  const code = octet ^ A_INVERSION;
  const segment = (code >> 4) & 7;
  const step = ((code & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return code & 0x80 ? magnitude : -magnitude;
}

function compressA(sample: number): number {
  // Negative values are mirrored about -1/2, as in G.711's ones' complement magnitudes.
  const magnitude = sample < 0 ? ~sample : sample;
  const segment = magnitude < 256 ? 0 : 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | mantissa) ^ A_INVERSION;
}

const EXPANDED: Readonly<Record<G711Codec, Int16Array>> = {
  PCMU: Int16Array.from({ length: 256 }, (_, octet) => expandMu(octet)),
  PCMA: Int16Array.from({ length: 256 }, (_, octet) => expandA(octet)),
};

/** Expands `octets[from, to)` to 16-bit samples at `out[at]` and on. */
export function decodeG711(codec: G711Codec, octets: Uint8Array, from: number, to: number, out: Int16Array, at: number): void {
  const table = EXPANDED[codec];
  for (let i = from, o = at; i < to; i++, o++) out[o] = table[octets[i]!]!;
}

/** Compresses all samples of `pcm` to octets at `out[at]` and on. */
export function encodeG711(codec: G711Codec, pcm: Int16Array, out: Uint8Array, at: number): void {
  const compress = codec === 'PCMU' ? compressMu : compressA;
  for (let i = 0; i < pcm.length; i++) out[at + i] = compress(pcm[i]!);
}
