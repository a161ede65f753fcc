/** One question to a time server and what its answer means (RFC 4330 part 5). No I/O. */
import { equal } from '../../hal/base/bytes.js';
import { MILLISECOND } from '../../hal/base/time.js';
import type { Entropy, Micros, UnixMillis } from '../../hal/hal.js';
import { decodeSntpReply, encodeSntpRequest, type NtpTime } from './sntp.codec.js';

export type SntpOutcome =
  /** The wall clock at the moment the reply came. */
  | { type: 'time'; at: UnixMillis }
  /** The server asks for fewer questions, or for none at all (kiss-o'-death). */
  | { type: 'kiss'; code: string; never: boolean }
  /** Not the answer, whoever sent it: the wait goes on. */
  | { type: 'ignored'; why: string }
  /** The server answered, and has no time. */
  | { type: 'useless'; why: string };

const STRATUM_MAX = 15;

export class SntpQuestion {
  readonly request: Uint8Array;
  /** Random instead of our clock: it tells the server nothing, and who cannot see the question cannot answer it. */
  readonly #nonce = new Uint8Array(8);
  readonly #asked: Micros;

  constructor(entropy: Entropy, now: Micros) {
    entropy.fill(this.#nonce);
    this.#asked = now;
    this.request = encodeSntpRequest(this.#nonce);
  }

  /** What a datagram from the server that was asked means, when it comes at `now`. */
  read(datagram: Uint8Array, now: Micros): SntpOutcome {
    const reply = decodeSntpReply(datagram);
    if (!reply) return { type: 'ignored', why: 'shorter than an SNTP packet' };
    if (reply.mode !== 4) return { type: 'ignored', why: `mode ${reply.mode} is not a server's` };
    if (!equal(reply.originate, this.#nonce)) return { type: 'ignored', why: 'not the answer to this question' };
    if (reply.kiss !== undefined) return { type: 'kiss', code: reply.kiss, never: reply.kiss !== 'RATE' };
    if (!reply.synchronized || reply.stratum > STRATUM_MAX) return { type: 'useless', why: 'the server is not synchronized' };
    if (reply.transmit.unknown || reply.receive.unknown) return { type: 'useless', why: 'the server sent no time' };
    // Half of what the way there and back took; the server's own time for it does not count. Never negative, however odd its clock.
    const travelled = Math.max(0, now - this.#asked - between(reply.receive, reply.transmit));
    const micros = reply.transmit.micros + Math.round(travelled / 2);
    return { type: 'time', at: reply.transmit.at + Math.round(micros / MILLISECOND) };
  }
}

const between = (from: NtpTime, to: NtpTime): Micros => Math.max(0, (to.at - from.at) * MILLISECOND + to.micros - from.micros);
