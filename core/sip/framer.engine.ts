/**
 * Cuts a byte stream into SIP messages by Content-Length (RFC 3261 18.3) and finds the keepalives of RFC 5626 4.4.1 between them.
 * What comes out does not depend on how the stream was cut into pieces.
 */

import { latin1 } from '../../hal/base/bytes.js';
import { HEADER_FIELDS_MAX, MESSAGE_OCTETS_MAX } from './message.codec.js';
import { readInteger } from './text.js';

export type Framed =
  | { type: 'message'; bytes: Uint8Array }
  /** The peer's keepalive, a double CRLF: to be answered with one CRLF. */
  | { type: 'ping' }
  /** One CRLF, while an answer to our own keepalive was due. */
  | { type: 'pong' }
  /** The stream cannot be followed any further: close it. */
  | { type: 'broken'; detail: string };

const LF = 10;
const CR = 13;
/** Room kept between messages; a longer one makes the buffer grow, up to the bound for messages. */
const BUFFER_OCTETS = 2_048;
/** Octets of a header section. `ours`: HEADER_FIELDS_MAX fields of a generous average. */
const HEAD_OCTETS_MAX = HEADER_FIELDS_MAX * 128;

export class StreamFramer {
  #buffer = new Uint8Array(BUFFER_OCTETS);
  #start = 0;
  #end = 0;
  /** How far the search for the end of the header section has come. */
  #scanned = 0;
  /** Length of the message at `#start`, once its header section is whole. */
  #length: number | undefined;
  #crlfs = 0;
  #broken = false;
  /** Set by the owner when it sends a keepalive; a single CRLF is its answer. */
  pongDue = false;

  push(bytes: Uint8Array): readonly Framed[] {
    const out: Framed[] = [];
    // In pieces no longer than a message, so that the buffer stays bounded however much arrives at once.
    for (let i = 0; i < bytes.length && !this.#broken; i += MESSAGE_OCTETS_MAX) {
      this.#append(bytes.subarray(i, i + MESSAGE_OCTETS_MAX));
      while (!this.#broken && this.#step(out)) {
        // Each step takes one message or keepalive off the front.
      }
    }
    return out;
  }

  #step(out: Framed[]): boolean {
    if (this.#length === undefined) {
      this.#takeCrlfs(out);
      if (this.#start === this.#end) return false;
      const head = this.#findHeadEnd();
      if (head === undefined) return this.#end - this.#start > HEAD_OCTETS_MAX && this.#break(out, 'the header section is too long');
      const content = readContentLength(this.#buffer, this.#start, head);
      if (content === undefined) return this.#break(out, 'Content-Length is wrong');
      this.#length = head - this.#start + content;
      if (this.#length > MESSAGE_OCTETS_MAX) return this.#break(out, 'the message is too long');
    }
    if (this.#end - this.#start < this.#length) return false;
    out.push({ type: 'message', bytes: this.#buffer.slice(this.#start, this.#start + this.#length) });
    this.#start += this.#length;
    this.#scanned = this.#start;
    this.#length = undefined;
    this.#crlfs = 0;
    if (this.#start === this.#end) this.#rest();
    return true;
  }

  /** Takes CRLFs before a message. The second of two is a ping unless the first was the pong that is due. */
  #takeCrlfs(out: Framed[]): void {
    while (this.#buffer[this.#start] === CR && this.#start + 1 < this.#end && this.#buffer[this.#start + 1] === LF) {
      this.#start += 2;
      if (this.pongDue) {
        this.pongDue = false;
        this.#crlfs = 0;
        out.push({ type: 'pong' });
      } else if (++this.#crlfs === 2) {
        this.#crlfs = 0;
        out.push({ type: 'ping' });
      }
    }
    this.#scanned = Math.max(this.#scanned, this.#start);
  }

  /** Index after the empty line that ends the header section. */
  #findHeadEnd(): number | undefined {
    const buffer = this.#buffer;
    for (let lf = buffer.indexOf(LF, this.#scanned); lf >= 0 && lf < this.#end; lf = buffer.indexOf(LF, lf + 1)) {
      let next = lf + 1;
      if (next < this.#end && buffer[next] === CR) next++;
      // The octet that decides has not come yet: look at this line end again.
      if (next >= this.#end) {
        this.#scanned = lf;
        return undefined;
      }
      if (buffer[next] === LF) return next + 1;
    }
    this.#scanned = this.#end;
    return undefined;
  }

  #break(out: Framed[], detail: string): false {
    this.#broken = true;
    this.#buffer = new Uint8Array(0);
    out.push({ type: 'broken', detail });
    return false;
  }

  /** Nothing is held: an idle stream keeps the small buffer only. */
  #rest(): void {
    if (this.#buffer.length > BUFFER_OCTETS) this.#buffer = new Uint8Array(BUFFER_OCTETS);
    this.#start = 0;
    this.#end = 0;
    this.#scanned = 0;
  }

  #append(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #makeRoom(more: number): void {
    const used = this.#end - this.#start;
    let size = BUFFER_OCTETS;
    while (size < used + more) size *= 2;
    const next = size === this.#buffer.length ? this.#buffer : new Uint8Array(size);
    next.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = next;
    this.#scanned -= this.#start;
    this.#start = 0;
    this.#end = used;
  }
}

/** What Content-Length says; 0 where it is absent, undefined where it is malformed or says two things. */
function readContentLength(bytes: Uint8Array, start: number, end: number): number | undefined {
  let length: number | undefined;
  for (let lf = bytes.indexOf(LF, start); lf >= 0 && lf < end; lf = bytes.indexOf(LF, lf + 1)) {
    const first = bytes[lf + 1]! | 32;
    if (first !== 99 && first !== 108) continue;
    const lineEnd = bytes.indexOf(LF, lf + 1);
    const line = latin1(bytes, lf + 1, lineEnd < 0 || lineEnd > end ? end : lineEnd);
    const field = /^(?:content-length|l)[ \t]*:(.*)$/is.exec(line);
    if (!field) continue;
    const value = readInteger(field[1]!.trim(), MESSAGE_OCTETS_MAX);
    if (value === undefined || (length !== undefined && value !== length)) return undefined;
    length = value;
  }
  return length ?? 0;
}
