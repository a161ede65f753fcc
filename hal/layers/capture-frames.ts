/** Captures what crosses a frame port: a port around a port, and the bounded memory that it records into. */
import type { FramePort, Micros } from '../hal.js';
import type { CapturedFrame, UnixMicros } from './pcapng.codec.js';

/** Frames in memory up to a limit in octets; what comes after it is dropped and counted, so that a capture begins whole (law 7). */
export class FrameRecorder {
  readonly #frames: CapturedFrame[] = [];
  #octets = 0;
  #dropped = 0;

  constructor(readonly limit = DEFAULT_LIMIT) {}

  /** Takes a copy: a sender may use its buffer again. */
  record(frame: CapturedFrame): void {
    if (this.#octets + frame.bytes.length > this.limit) {
      this.#dropped++;
      return;
    }
    this.#octets += frame.bytes.length;
    this.#frames.push({ ...frame, bytes: frame.bytes.slice() });
  }

  get frames(): readonly CapturedFrame[] {
    return this.#frames;
  }

  /** Frames that found no room. */
  get dropped(): number {
    return this.#dropped;
  }
}

/** Hours of one device with a page in progress; a tenth of the heap that Node takes by default. */
const DEFAULT_LIMIT = 256 * 2 ** 20;

export interface FrameCapture {
  record(frame: CapturedFrame): void;
  /** Number of the interface in the capture. */
  interface: number;
  /** When a frame is sent. */
  now(): Micros;
  /** The calendar time of a stamp. */
  calendar(at: Micros): UnixMicros;
}

/** Records the frames that the port takes and those that it delivers; frames that it refuses never were on the wire. */
export function captureFrames(port: FramePort, capture: FrameCapture): FramePort {
  const { interface: number, now, calendar } = capture;
  return {
    send: (bytes) => {
      const taken = port.send(bytes);
      if (taken) capture.record({ interface: number, at: calendar(now()), direction: 'out', bytes });
      return taken;
    },
    onFrame: (listener) =>
      port.onFrame((bytes, at) => {
        capture.record({ interface: number, at: calendar(at), direction: 'in', bytes });
        listener(bytes, at);
      }),
  };
}
