/**
 * Reads one file over TFTP (RFC 1350, with the options of RFC 2347 to 2349): what to send, and when it is over. Datagrams come and go
 * outside. The transfer belongs to the port from which the server's first answer comes; whoever else sends to ours is told so.
 */
import { joined } from '../../hal/base/bytes.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { HalError, Micros } from '../../hal/hal.js';
import { decodeTftp, encodeTftp, TFTP_ERROR, type TftpOptions, type TftpPacket } from './tftp.codec.js';

export type TftpStep =
  /** Send it, if there is something, and wait until `due`. */
  | { type: 'wait'; send?: Uint8Array }
  /** Send it to whoever that was; the transfer goes on. */
  | { type: 'stranger'; send: Uint8Array }
  /** The whole file. The last acknowledgement may be lost: keep the port open for a while, and give what comes to `receive`. */
  | { type: 'file'; send: Uint8Array; bytes: Uint8Array }
  | { type: 'absent' }
  /** The server's own words, made fit to be shown. */
  | { type: 'refused'; code: number; words: string }
  | { type: 'failed'; error: HalError; send?: Uint8Array };

/** Without options a block has 512 octets (RFC 1350 part 2). */
const BLOCK = 512;
/** RFC 2348: fits an Ethernet frame, also inside a tunnel. */
const WANTED_BLOCK = 1428;
const LEAST_BLOCK = 8;
/** RFC 2349: seconds after which the server repeats a block. */
const WANTED_TIMEOUT = '1';
/** Ours: the first wait for an answer doubles up to the longest; after so much silence the server is given up. */
const FIRST_WAIT: Micros = SECOND;
const LONGEST_WAIT: Micros = 4 * SECOND;
const SILENCE: Micros = 15 * SECOND;
/**
 * Ours: a block that comes again so soon was doubled on its way, and is not acknowledged again. To a server that answers each
 * acknowledgement with a block, every doubled one would double all that follow (RFC 1123 part 4.2.3.1, "Sorcerer's Apprentice").
 */
const ECHO: Micros = 100 * MILLISECOND;

/** Ours: what a server says for people, in a line of a log. */
const MAX_WORDS = 80;

export class TftpReader {
  readonly #file: string;
  readonly #maxSize: number;
  #port: number | undefined;
  #asked: TftpOptions = new Map([
    ['blksize', String(WANTED_BLOCK)],
    ['tsize', '0'],
    ['timeout', WANTED_TIMEOUT],
  ]);
  #agreed = false;
  #blockSize = BLOCK;
  /** What the server said that the file has. */
  #announced: number | undefined;
  #expected = 1;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #over = false;
  /** The packet that waits for an answer. */
  #last: Uint8Array;
  #lastSent: Micros = 0;
  #heard: Micros = 0;
  #wait: Micros = FIRST_WAIT;

  /** `file` is octet text without a zero; `maxSize` in octets. */
  constructor(file: string, maxSize: number) {
    this.#file = file;
    this.#maxSize = maxSize;
    this.#last = this.#request();
  }

  /** When `elapsed` is to be called. */
  get due(): Micros {
    return this.#lastSent + this.#wait;
  }

  /** The request; it goes to the server's well-known port. */
  start(now: Micros): Uint8Array {
    this.#heard = now;
    this.#lastSent = now;
    return this.#last;
  }

  /** The server's port of this transfer; undefined while what is sent goes to the well-known one. */
  get port(): number | undefined {
    return this.#port;
  }

  /** A datagram from that port of the server. */
  receive(bytes: Uint8Array, from: number, now: Micros): TftpStep {
    const packet = decodeTftp(bytes);
    if (!packet || packet.type === 'read' || packet.type === 'ack') return WAIT;
    // An error is never answered with an error: two that do would not stop.
    if (this.#port !== undefined && from !== this.#port) return packet.type === 'error' ? WAIT : STRANGER;
    if (this.#over) return packet.type === 'data' ? this.#repeat(packet.block, now) : WAIT;
    this.#port = from;
    switch (packet.type) {
      case 'error':
        return this.#refused(packet, now);
      case 'options':
        return this.#agree(packet.options, now);
      case 'data':
        return this.#take(packet, now);
    }
  }

  /** `due` is over: the last packet again, or the end of patience. */
  elapsed(now: Micros): TftpStep {
    if (now - this.#heard >= SILENCE) {
      const detail = this.#port !== undefined ? 'the server is silent' : 'no TFTP server answers';
      return this.#fail({ kind: 'timeout', detail });
    }
    this.#wait = Math.min(LONGEST_WAIT, 2 * this.#wait);
    this.#lastSent = now;
    return { type: 'wait', send: this.#last };
  }

  #request(): Uint8Array {
    return encodeTftp({ type: 'read', file: this.#file, options: this.#asked });
  }

  #send(packet: TftpPacket, now: Micros): Uint8Array {
    this.#last = encodeTftp(packet);
    this.#wait = FIRST_WAIT;
    this.#lastSent = now;
    this.#heard = now;
    return this.#last;
  }

  /** RFC 2347: what the server takes is among what it was asked for. */
  #agree(options: TftpOptions, now: Micros): TftpStep {
    if (this.#agreed) return this.#expected === 1 ? this.#again(now) : WAIT;
    const number = (name: string): number | undefined => {
      const text = options.get(name);
      return text === undefined ? undefined : /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    };
    const blockSize = number('blksize') ?? BLOCK;
    const size = number('tsize');
    const known = [...options.keys()].every((name) => this.#asked.has(name));
    const sound = blockSize >= LEAST_BLOCK && blockSize <= WANTED_BLOCK && !Number.isNaN(size ?? 0);
    if (!known || !sound || (options.get('timeout') ?? WANTED_TIMEOUT) !== WANTED_TIMEOUT) {
      return this.#fail({ kind: 'other', detail: 'the server agrees to options that it was not asked for' }, TFTP_ERROR.options, 'options');
    }
    if (size !== undefined && size > this.#maxSize) return this.#tooBig(`of ${size} octets`);
    this.#agreed = true;
    this.#blockSize = blockSize;
    this.#announced = size;
    return { type: 'wait', send: this.#send({ type: 'ack', block: 0 }, now) };
  }

  #take({ block, data }: Extract<TftpPacket, { type: 'data' }>, now: Micros): TftpStep {
    if (block !== (this.#expected & 0xffff)) return this.#repeat(block, now);
    if (data.length > this.#blockSize) {
      return this.#fail({ kind: 'other', detail: 'the server sends more than a block at once' }, TFTP_ERROR.illegal, 'block size');
    }
    this.#size += data.length;
    if (this.#size > this.#maxSize) return this.#tooBig(`of more than ${this.#maxSize} octets`);
    // The octets are the receiver's for the time of the call only (law 6).
    this.#pieces.push(data.slice());
    this.#expected++;
    const send = this.#send({ type: 'ack', block }, now);
    return data.length < this.#blockSize ? this.#complete(send) : { type: 'wait', send };
  }

  #complete(send: Uint8Array): TftpStep {
    if (this.#announced !== undefined && this.#announced !== this.#size) {
      return this.#fail({ kind: 'reset', detail: `the server sent ${this.#size} of ${this.#announced} octets` });
    }
    this.#over = true;
    return { type: 'file', send, bytes: joined(this.#pieces) };
  }

  /** The block before comes again: our acknowledgement was lost, or the block was doubled on its way. */
  #repeat(block: number, now: Micros): TftpStep {
    return this.#expected > 1 && block === ((this.#expected - 1) & 0xffff) ? this.#again(now) : WAIT;
  }

  #again(now: Micros): TftpStep {
    if (now - this.#lastSent < ECHO) return WAIT;
    this.#lastSent = now;
    return { type: 'wait', send: this.#last };
  }

  #refused({ code, message }: Extract<TftpPacket, { type: 'error' }>, now: Micros): TftpStep {
    if (code === TFTP_ERROR.notFound) return { type: 'absent' };
    if (code === TFTP_ERROR.options && this.#asked.size > 0) {
      // RFC 2347: the same request without options, as a transfer of its own.
      this.#asked = new Map();
      this.#port = undefined;
      this.#last = this.#request();
      return { type: 'wait', send: this.start(now) };
    }
    this.#over = true;
    return { type: 'refused', code, words: message.replace(/[^ -~]/g, '?').slice(0, MAX_WORDS) };
  }

  #tooBig(size: string): TftpStep {
    return this.#fail(
      { kind: 'too-big', detail: `the server has a file ${size}, at most ${this.#maxSize} are taken` },
      TFTP_ERROR.full,
      'too big',
    );
  }

  #fail(error: HalError, code?: number, message = ''): TftpStep {
    this.#over = true;
    return { type: 'failed', error, ...(code === undefined ? {} : { send: encodeTftp({ type: 'error', code, message }) }) };
  }
}

const WAIT: TftpStep = { type: 'wait' };
const STRANGER: TftpStep = {
  type: 'stranger',
  send: encodeTftp({ type: 'error', code: TFTP_ERROR.unknownTransfer, message: 'no such transfer' }),
};
