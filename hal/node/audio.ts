/** `Audio` where there is no loudspeaker: frames are pulled at an even pace and written to a WAV file, and read from one. */
import { fail, ok } from '../base/result.js';
import type { Audio, AudioFormat, AudioStream, HalError, Micros, Result } from '../hal.js';
import { startPacer } from './pacer.js';
import { type Pcm, readWav, resample, WavWriter } from './wav.js';

/** Frames between two writes of the header: a second of 20 ms frames. */
const FRAMES_A_HEADER = 50;

export interface NodeAudioOptions {
  /** Where the loudspeaker's sound goes; frames are pulled and dropped where absent. */
  speaker?: string;
  /** What the microphone hears, once, and silence after its end; there is none where absent. */
  microphone?: string;
  clock: { now(): Micros };
  /** The file could not be written: what follows is dropped. */
  onFailure(detail: string): void;
}

export interface NodeAudio {
  audio: Audio;
  close(): void;
}

/** Fails where a file cannot be opened or is not PCM of 16 bits. Streams opened one after another go into one file, at one rate. */
export function createNodeAudio(options: NodeAudioOptions): Result<NodeAudio, HalError> {
  const heard = options.microphone === undefined ? undefined : readWav(options.microphone);
  if (heard && !heard.ok) return heard;
  const writer = options.speaker === undefined ? undefined : WavWriter.create(options.speaker);
  if (writer && !writer.ok) return writer;
  const speaker = new Speaker(writer?.value, options);
  return ok({
    audio: {
      open: (format, pull) => speaker.open(format, pull),
      ...(heard ? { openInput: (format: AudioFormat, push: Push) => openMicrophone(heard.value, format, push, options) } : {}),
    },
    close: () => speaker.shut(),
  });
}

type Push = (pcm: Int16Array, at: Micros) => void;

class Speaker {
  readonly #options: NodeAudioOptions;
  #writer: WavWriter | undefined;
  #stop: (() => void) | undefined;
  #frames = 0;

  constructor(writer: WavWriter | undefined, options: NodeAudioOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  open(format: AudioFormat, pull: (out: Int16Array, at: Micros) => void): Result<AudioStream, HalError> {
    if (this.#stop) return fail('full', 'the loudspeaker is open already');
    const rate = this.#writer?.rate ?? 0;
    if (rate !== 0 && rate !== format.rate) return fail('unsupported', `${this.#options.speaker} has ${rate} samples a second`);
    const { clock } = this.#options;
    const stop = startPacer({ ...format, clock }, () => {
      const pcm = new Int16Array(format.frame);
      pull(pcm, clock.now());
      this.#write(pcm, format.rate);
    });
    this.#stop = stop;
    return ok({
      close: () => {
        stop();
        if (this.#stop === stop) this.#stop = undefined;
      },
    });
  }

  shut(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#attempt((writer) => writer.close());
    this.#writer = undefined;
  }

  #write(pcm: Int16Array, rate: number): void {
    this.#attempt((writer) => {
      writer.append(pcm, rate);
      if (++this.#frames % FRAMES_A_HEADER === 0) writer.sync();
    });
  }

  #attempt(act: (writer: WavWriter) => void): void {
    const writer = this.#writer;
    if (!writer) return;
    try {
      act(writer);
    } catch (error) {
      this.#writer = undefined;
      this.#options.onFailure(`${this.#options.speaker}: ${(error as Error).message}`);
    }
  }
}

function openMicrophone(heard: Pcm, format: AudioFormat, push: Push, { clock }: NodeAudioOptions): Result<AudioStream, HalError> {
  const samples = resample(heard, format.rate);
  let place = 0;
  const stop = startPacer({ ...format, clock }, () => {
    const pcm = new Int16Array(format.frame);
    pcm.set(samples.subarray(place, place + format.frame));
    place = Math.min(place + format.frame, samples.length);
    push(pcm, clock.now());
  });
  return ok({ close: stop });
}
