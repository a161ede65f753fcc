/** WAV files of 16-bit PCM (RIFF, Microsoft "Multimedia Programming Interface and Data Specifications 1.0", 1991). */
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { fail, ok } from '../base/result.js';
import type { HalError, Result } from '../hal.js';
import { halError } from './node-errors.js';

const HEADER_OCTETS = 44;
const PCM = 1;
const SAMPLE_OCTETS = 2;
/** Longest recording that is read: it is held in memory. An hour of 48 kHz stereo is 691 MB. */
const LONGEST_INPUT = 256 * 1024 * 1024;

export interface Pcm {
  rate: number;
  /** Mono: the mean of the channels. */
  samples: Int16Array;
}

/** The samples of a WAV file. Total; the reason why not, in words. */
export function decodeWav(file: Uint8Array): Result<Pcm, string> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const tag = (at: number): string => Buffer.from(file.subarray(at, at + 4)).toString('latin1');
  if (file.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') return { ok: false, error: 'it is no WAV file' };
  let format: { channels: number; rate: number } | undefined;
  for (let at = 12; at + 8 <= file.length; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === 'fmt ' && body + 16 <= file.length) {
      const channels = view.getUint16(body + 2, true);
      if (view.getUint16(body, true) !== PCM || view.getUint16(body + 14, true) !== 16 || channels < 1 || channels > 2)
        return { ok: false, error: 'it is not PCM of 16 bits with one or two channels' };
      format = { channels, rate: view.getUint32(body + 4, true) };
    } else if (tag(at) === 'data') {
      if (!format) return { ok: false, error: 'its samples come before their format' };
      return ok({ rate: format.rate, samples: mono(view, body, Math.min(size, file.length - body), format.channels) });
    }
    at = body + size + (size & 1); // chunks begin at even offsets
  }
  return { ok: false, error: 'it has no samples' };
}

function mono(view: DataView, start: number, octets: number, channels: number): Int16Array {
  const frame = SAMPLE_OCTETS * channels;
  const out = new Int16Array(Math.floor(octets / frame));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += view.getInt16(start + i * frame + channel * SAMPLE_OCTETS, true);
    out[i] = Math.round(sum / channels);
  }
  return out;
}

/** Linear interpolation: enough for a test signal at a microphone that is not there. */
export function resample({ rate, samples }: Pcm, wanted: number): Int16Array {
  if (rate === wanted) return samples;
  const out = new Int16Array(Math.floor((samples.length * wanted) / rate));
  for (let i = 0; i < out.length; i++) {
    const place = (i * rate) / wanted;
    const before = Math.floor(place);
    const a = samples[before] ?? 0;
    const b = samples[before + 1] ?? a;
    out[i] = Math.round(a + (b - a) * (place - before));
  }
  return out;
}

/** `not-found`, `too-big`, `unsupported`, with the file's name. */
export function readWav(path: string): Result<Pcm, HalError> {
  try {
    const { size } = statSync(path);
    if (size > LONGEST_INPUT) return fail('too-big', `${path} has ${size} octets; at most ${LONGEST_INPUT} are read`);
    const decoded = decodeWav(readFileSync(path));
    return decoded.ok ? decoded : fail('unsupported', `${path}: ${decoded.error}`);
  } catch (error) {
    return { ok: false, error: halError(error as NodeJS.ErrnoException) };
  }
}

/** A mono file that grows. Its header is right after each `sync` and after `close`, so that a file cut short is still played. */
export class WavWriter {
  readonly #fd: number;
  #rate = 0;
  #octets = 0;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static create(path: string): Result<WavWriter, HalError> {
    try {
      return ok(new WavWriter(openSync(path, 'w')));
    } catch (error) {
      return { ok: false, error: halError(error as NodeJS.ErrnoException) };
    }
  }

  /** Samples a second; 0 until the first frame. */
  get rate(): number {
    return this.#rate;
  }

  /** Throws what the file system throws. */
  append(samples: Int16Array, rate: number): void {
    this.#rate = rate;
    writeSync(this.#fd, littleEndian(samples), 0, samples.length * SAMPLE_OCTETS, HEADER_OCTETS + this.#octets);
    this.#octets += samples.length * SAMPLE_OCTETS;
  }

  sync(): void {
    writeSync(this.#fd, header(this.#rate, this.#octets), 0, HEADER_OCTETS, 0);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.sync();
    } finally {
      closeSync(this.#fd);
    }
  }
}

function littleEndian(samples: Int16Array): Uint8Array {
  const out = Buffer.alloc(samples.length * SAMPLE_OCTETS);
  for (let i = 0; i < samples.length; i++) out.writeInt16LE(samples[i]!, i * SAMPLE_OCTETS);
  return out;
}

function header(rate: number, octets: number): Uint8Array {
  const out = Buffer.alloc(HEADER_OCTETS);
  out.write('RIFF', 0, 'latin1');
  out.writeUInt32LE(HEADER_OCTETS - 8 + octets, 4);
  out.write('WAVEfmt ', 8, 'latin1');
  out.writeUInt32LE(16, 16); // octets of the format
  out.writeUInt16LE(PCM, 20);
  out.writeUInt16LE(1, 22); // channels
  out.writeUInt32LE(rate, 24);
  out.writeUInt32LE(rate * SAMPLE_OCTETS, 28);
  out.writeUInt16LE(SAMPLE_OCTETS, 32); // octets a sample of all channels
  out.writeUInt16LE(8 * SAMPLE_OCTETS, 34);
  out.write('data', 36, 'latin1');
  out.writeUInt32LE(octets, 40);
  return out;
}
