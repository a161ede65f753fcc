import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attributes, connectionOf, parseSession, serialiseSession } from '../../core/sdp/session.codec.js';
import { fromLatin1, fromUtf8, latin1, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { fuzz } from '../support/mutation.js';
import { describeSuite, readShared, sharedPath } from '../support/shared.js';

const OFFER = 'v=0\r\no=- 1 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
const parsed = (text: string) => expectOk(parseSession(utf8(text)), 'parse');

describeSuite('sdp', () => {
  /** Three of the bodies begin with comments of their editors, which are no SDP. */
  const body = (file: string): string => latin1(readShared(`suites/sdp/${file}`)).replace(/^;.*\n/gm, '');

  it.each(readdirSync(sharedPath('suites/sdp')))('parses %s and gives each line back', (file) => {
    const lines = body(file).split(/\r?\n/);
    const description = expectOk(parseSession(fromLatin1(body(file))), file);
    const back = latin1(serialiseSession(description)).split('\r\n');
    const given = lines.filter((line) => line !== '').map((line) => (/^[mo]=/.test(line) ? line.trim() : line));
    expect(back.filter((line) => line !== '')).toEqual(given);
  });

  it('is total: 10,000 mutated bodies', () => {
    const samples = readdirSync(sharedPath('suites/sdp')).map((file) => fromLatin1(body(file)));
    fuzz(samples, 10_000, (input) => {
      const result = parseSession(input);
      if (!result.ok) return;
      const again = parseSession(serialiseSession(result.value));
      expect(again).toEqual(result);
    });
  });
});

describe('session description', () => {
  it('keeps octets of any charset', () => {
    const body = fromLatin1(OFFER.replace('s=-', 's=K\u00fcche \u00ff\u0080'));
    expect(serialiseSession(expectOk(parseSession(body), 'parse'))).toEqual(body);
  });

  it('reads attributes by name, with and without value', () => {
    const { lines } = parsed(`${OFFER}a=sendonly\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmapper:no\r\n`).media[0]!;
    expect(attributes(lines, 'rtpmap')).toEqual(['0 PCMU/8000', '8 PCMA/8000']);
    expect(attributes(lines, 'sendonly')).toEqual(['']);
    expect(attributes(lines, 'crypto')).toEqual([]);
  });

  it.each([
    ['of the session', OFFER, '10.0.0.2'],
    ['of the medium before that of the session', `${OFFER}c=IN IP4 10.0.0.9\r\n`, '10.0.0.9'],
    ['of a multicast group with TTL', OFFER.replace('c=IN IP4 10.0.0.2', 'c=IN IP4 224.2.1.1/127/3'), '224.2.1.1'],
    ['of IPv6', OFFER.replace('c=IN IP4 10.0.0.2', 'c=IN IP6 2001:db8::1'), '2001:db8::1'],
    ['of another network', OFFER.replace('c=IN IP4 10.0.0.2', 'c=ATM NSAP 47'), undefined],
    ['that is missing', OFFER.replace('c=IN IP4 10.0.0.2\r\n', ''), undefined],
  ])('finds the connection address %s', (_which, text, address) => {
    const description = parsed(text);
    expect(connectionOf(description, description.media[0]!)?.address).toBe(address);
  });

  it.each([
    ['nothing', ''],
    ['another version', OFFER.replace('v=0', 'v=1')],
    ['no origin', OFFER.replace(/o=.*\r\n/, '')],
    ['a malformed origin', OFFER.replace('o=- 1', 'o=- one')],
    ['no lines', '<html></html>'],
    ['a port beyond 65535', OFFER.replace('4000', '70000')],
    ['a negative port', OFFER.replace('4000', '-1')],
    ['no profile', OFFER.replace(' RTP/AVP 0', '')],
    ['too many lines', OFFER + 'a=x\r\n'.repeat(1000)],
    ['too many media', OFFER + 'm=audio 1 RTP/AVP 0\r\n'.repeat(40)],
    ['too much', `${OFFER}a=${'x'.repeat(70_000)}\r\n`],
  ])('refuses %s', (_what, text) => {
    const result = parseSession(utf8(text));
    expect(result).toMatchObject({ ok: false });
    if (!result.ok) expect(result.error.length).toBeLessThan(100);
  });

  it('ends lines with CRLF', () => {
    expect(fromUtf8(serialiseSession(parsed(OFFER.replaceAll('\r\n', '\n'))))).toBe(OFFER);
  });
});
