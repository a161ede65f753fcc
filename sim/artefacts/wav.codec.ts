/** WAV files: PCM, mono, 16 bit, little-endian (Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0"). */
import { fromLatin1 } from '../../hal/base/bytes.js';

const HEADER = 44;
const PCM = 1;

export function encodeWav(samples: Int16Array, rate: number): Uint8Array {
  const out = new Uint8Array(HEADER + 2 * samples.length);
  const view = new DataView(out.buffer);
  out.set(fromLatin1('RIFF'), 0);
  view.setUint32(4, out.length - 8, true);
  out.set(fromLatin1('WAVEfmt '), 8);
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  out.set(fromLatin1('data'), 36);
  view.setUint32(40, 2 * samples.length, true);
  for (let i = 0; i < samples.length; i++) view.setInt16(HEADER + 2 * i, samples[i]!, true);
  return out;
}
