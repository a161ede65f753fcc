import { describe, expect, it } from 'vitest';
import { type Framed, StreamFramer } from '../../core/sip/framer.engine.js';
import { MESSAGE_OCTETS_MAX } from '../../core/sip/message.codec.js';
import { describeSuite, readShared } from '../support/shared.js';

const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

function frame(stream: Uint8Array, chunk: number, pongDue = false): Framed[] {
  const framer = new StreamFramer();
  framer.pongDue = pongDue;
  const out: Framed[] = [];
  for (let i = 0; i < stream.length; i += chunk) out.push(...framer.push(stream.subarray(i, i + chunk)));
  return out;
}

const OK = 'SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a\r\nContent-Length: 5\r\n\r\nabc\r\n';

describe('framing', () => {
  it.each([1, 2, 3, 7, 1000])('a pong ahead of a response, a ping behind it, in pieces of %i', (chunk) => {
    const out = frame(octets(`\r\n${OK}\r\n\r\n${OK}`), chunk, true);
    expect(out.map((f) => f.type)).toEqual(['pong', 'message', 'ping', 'message']);
    expect(Buffer.from((out[1] as { bytes: Uint8Array }).bytes).toString()).toBe(OK);
  });

  it('cut at every place gives the same', () => {
    const stream = octets(`\r\n${OK}${OK}\r\n\r\n`);
    for (let at = 0; at <= stream.length; at++) {
      const framer = new StreamFramer();
      framer.pongDue = true;
      const types = [...framer.push(stream.subarray(0, at)), ...framer.push(stream.subarray(at))].map((f) => f.type);
      expect(types).toEqual(['pong', 'message', 'message', 'ping']);
    }
  });

  it('ignores a lone CRLF before a message when no pong is due (RFC 3261 7.5)', () => {
    expect(frame(octets(`\r\n${OK}`), 1).map((f) => f.type)).toEqual(['message']);
  });

  it.each([
    ['a header section without end', 'X: y\r\n'.repeat(20_000)],
    ['a message over the bound', `INVITE sip:a SIP/2.0\r\nContent-Length: ${MESSAGE_OCTETS_MAX}\r\n\r\n`],
    ['a Content-Length that is no number', 'INVITE sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n'],
    ['two Content-Lengths', 'INVITE sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\n'],
  ])('%s breaks the stream once and for all', (_, text) => {
    for (const chunk of [1, 1500, 1 << 20]) {
      const out = frame(octets(text + OK.repeat(3)), chunk);
      expect(out.map((f) => f.type)).toEqual(['broken']);
    }
  });
});

describeSuite('sip-streams', () => {
  it.each([
    ['generic.txt', 227],
    ['lioneagle-sipparser.txt', 26],
  ])('%s holds %i messages at every chunk size', (file, count) => {
    const stream = Uint8Array.from(readShared(`suites/sip-streams/${file}`));
    const key = (out: Framed[]): string =>
      out.map((f) => (f.type === 'message' ? Buffer.from(f.bytes).toString('latin1') : f.type)).join('\0');
    const whole = frame(stream, stream.length);
    expect(whole.filter((f) => f.type === 'message')).toHaveLength(count);
    for (let chunk = 1; chunk <= 128 * 1024; chunk = chunk < 16 ? chunk + 1 : chunk * 2) {
      expect(key(frame(stream, chunk)) === key(whole), `pieces of ${chunk}`).toBe(true);
    }
  });
});
