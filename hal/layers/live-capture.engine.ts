/**
 * A capture file that grows while it is used. A reader opens TLS only with secrets that it met before the packets, so frames from the
 * beginning of a connection on wait, in order and bounded, until its secrets are known or it shows that it is not TLS.
 */
import { concat, EMPTY, hex } from '../base/bytes.js';
import { SECOND } from '../base/time.js';
import type { CapturedFrame, UnixMicros } from './pcapng.codec.js';
import { decryptionSecrets, enhancedPacket, interfaceDescription, sectionHeader } from './pcapng.codec.js';

/** What the capture knows of one TCP connection. */
export interface CapturedConnection {
  /** From 0, in the order of their opening. */
  readonly index: number;
  state: 'undecided' | 'waiting' | 'free';
  since: UnixMicros;
  first: Uint8Array;
  /** Labels of a key log that are still missing. */
  missing: Set<string>;
}

/** A client's random stands at octets 11 to 42 of the first record: header of 5, handshake header of 4, version of 2 (RFC 8446 4.1.2, 5.1). */
const RANDOM = { at: 11, end: 43 } as const;
const HANDSHAKE_RECORD = 0x16;
const CLIENT_HELLO = 1;
/** The labels after which a connection can be read whole: all of it with TLS 1.2's one line, from the Finished on with TLS 1.3's last two. */
const TLS_1_2 = 'CLIENT_RANDOM';
const TLS_1_3 = ['CLIENT_TRAFFIC_SECRET_0', 'SERVER_TRAFFIC_SECRET_0'] as const;
/** A handshake that takes longer is one that failed, or whose secrets are not ours to know. */
const LONGEST_WAIT = 10 * SECOND;
/** Ten seconds of a page both ways, and a configuration of usual size. */
const MOST_WAITING = 2 ** 20;

export class LiveCapture {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #secrets: boolean;
  #waiting: { frame: CapturedFrame; connection: CapturedConnection | undefined }[] = [];
  #octets = 0;
  #connections = 0;
  readonly #byRandom = new Map<string, CapturedConnection>();

  /** `write` gets the file piece by piece; without `secrets` nothing waits. */
  constructor(options: { interface: string; secrets: boolean; write(bytes: Uint8Array): void }) {
    this.#write = options.write;
    this.#secrets = options.secrets;
    this.#write(sectionHeader(options.secrets));
    this.#write(interfaceDescription(options.interface));
  }

  connection(at: UnixMicros): CapturedConnection {
    return { index: this.#connections++, state: this.#secrets ? 'undecided' : 'free', since: at, first: EMPTY, missing: new Set() };
  }

  /** Octets that a connection carried, before their frames: the first of them tell whether it is TLS. */
  carried(connection: CapturedConnection, bytes: Uint8Array): void {
    if (connection.state !== 'undecided') return;
    const first = concat(connection.first, bytes.subarray(0, RANDOM.end));
    connection.first = first;
    const isTls = first[0] === HANDSHAKE_RECORD && (first.length < 6 || first[5] === CLIENT_HELLO);
    if (!isTls) this.ended(connection);
    if (!isTls || first.length < RANDOM.end) return;
    connection.state = 'waiting';
    connection.missing = new Set(TLS_1_3);
    this.#byRandom.set(hex(first.subarray(RANDOM.at, RANDOM.end)), connection);
  }

  frame(frame: CapturedFrame, connection?: CapturedConnection): void {
    this.#waiting.push({ frame, connection });
    this.#octets += frame.bytes.length;
    this.#flush(frame.at);
  }

  /** One line of an NSS key log. */
  secret(line: string): void {
    if (!this.#secrets) return;
    this.#write(decryptionSecrets([line]));
    const [label = '', random = ''] = line.split(' ');
    const connection = this.#byRandom.get(random.toLowerCase());
    if (!connection) return;
    connection.missing.delete(label);
    if (label === TLS_1_2 || connection.missing.size === 0) this.ended(connection);
  }

  /** Its frames need not wait any longer. */
  ended(connection: CapturedConnection): void {
    this.#free(connection);
    this.#flush(connection.since);
  }

  /** Writes what still waits. */
  finish(): void {
    for (const { frame } of this.#waiting) this.#write(enhancedPacket(frame));
    this.#waiting = [];
    this.#octets = 0;
  }

  #flush(now: UnixMicros): void {
    let count = 0;
    for (const { frame, connection } of this.#waiting) {
      const overdue = connection !== undefined && now - connection.since > LONGEST_WAIT;
      if (connection && (overdue || this.#octets > MOST_WAITING)) this.#free(connection);
      if (connection && connection.state !== 'free') break;
      this.#write(enhancedPacket(frame));
      this.#octets -= frame.bytes.length;
      count++;
    }
    this.#waiting.splice(0, count);
  }

  #free(connection: CapturedConnection): void {
    if (connection.state === 'waiting') this.#byRandom.delete(hex(connection.first.subarray(RANDOM.at, RANDOM.end)));
    connection.state = 'free';
  }
}
