/** Cuts one direction of a connection into TLS records (RFC 8446 5.1), and finds the next one after octets that the capture lacks. */
import { u16 } from '../../hal/base/bytes.js';
import type { UnixMicros } from '../../hal/layers/pcapng.codec.js';
import { ContentType, RECORD_HEADER, VERSION } from '../../hal/layers/tls-wire.codec.js';
import { OctetGatherer } from './octet-gatherer.js';

export interface TlsRecord {
  type: number;
  /** Of its header, which TLS 1.3 leaves at 1.2. */
  version: number;
  header: Uint8Array;
  body: Uint8Array;
  /** Every octet of it is in the capture. */
  whole: boolean;
  at: UnixMicros;
}

export interface RecordSink {
  record(record: TlsRecord): void;
  /** Records are missing, nobody knows how many. */
  lost(): void;
}

/** 2^14 octets, and what the most generous of ciphers may add (RFC 5246 6.2.3). */
const MOST_OCTETS = 2 ** 14 + 2048;
const TYPES: readonly number[] = Object.values(ContentType);
/** Heartbeats (RFC 6520) are records too. */
const HEARTBEAT = 24;

/** Whether a record may begin with these octets; fewer than 5 may always be the beginning of one that does. */
export function beginsRecord(bytes: Uint8Array): boolean {
  if (bytes.length > 0 && bytes[0] !== HEARTBEAT && !TYPES.includes(bytes[0]!)) return false;
  if (bytes.length > 1 && bytes[1] !== 3) return false;
  if (bytes.length > 2 && u16(bytes, 1) > VERSION['1.3']) return false;
  return bytes.length < RECORD_HEADER || u16(bytes, 3) <= MOST_OCTETS;
}

export class RecordReader {
  readonly #sink: RecordSink;
  readonly #held = new OctetGatherer();
  #whole = true;
  #searching = false;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /** A stretch that begins where a segment does, when records were lost before it. */
  push(bytes: Uint8Array, at: UnixMicros): void {
    if (this.#searching && (bytes.length < RECORD_HEADER || !beginsRecord(bytes))) return;
    this.#searching = false;
    this.#held.push(bytes);
    this.#cut(at);
  }

  /** A hole inside the body of a record costs that record; any other costs the count. */
  missing(octets: number, at: UnixMicros): void {
    if (this.#searching) return;
    const header = this.#held.peek(RECORD_HEADER);
    const length = header.length < RECORD_HEADER ? 0 : RECORD_HEADER + u16(header, 3);
    if (this.#held.length + octets > length) {
      this.#lose();
      return;
    }
    this.#whole = false;
    this.#held.push(new Uint8Array(octets));
    this.#cut(at);
  }

  #cut(at: UnixMicros): void {
    while (this.#held.length >= RECORD_HEADER) {
      const header = this.#held.peek(RECORD_HEADER);
      if (!beginsRecord(header)) return this.#lose();
      const end = RECORD_HEADER + u16(header, 3);
      if (this.#held.length < end) return;
      const body = this.#held.take(end).subarray(RECORD_HEADER);
      const whole = this.#whole;
      this.#whole = true;
      this.#sink.record({ type: header[0]!, version: u16(header, 1), header, body, whole, at });
    }
  }

  #lose(): void {
    this.#held.clear();
    this.#whole = true;
    this.#searching = true;
    this.#sink.lost();
  }
}
