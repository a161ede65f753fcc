import { describe, expect, it } from 'vitest';
import { readAddress, tagOf, writeAddress } from '../../core/sip/address.codec.js';
import { escapeUser, readUri, sameUri, type Uri, unescapeUri, writeUri } from '../../core/sip/uri.codec.js';
import { readVia, writeVia } from '../../core/sip/via.codec.js';

const uri = (text: string): Uri => {
  const value = readUri(text);
  if (!value) throw new Error(`refused: ${text}`);
  return value;
};

describe('URIs', () => {
  it.each([
    'sip:alice@atlanta.com',
    'sip:alice:secretword@atlanta.com;transport=tcp',
    'sips:alice@atlanta.com?subject=project%20x&priority=urgent',
    'sip:+1-212-555-1212:1234@gateway.com;user=phone',
    'sips:1212@gateway.com',
    'sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com',
    'sip:alice;day=tuesday@atlanta.com',
    'sip:[2001:db8::10]:5070',
    'tel:+358-555-1234567;postd=pp22',
    'http://www.example.com',
  ])('%s is read and written', (text) => expect(writeUri(uri(text))).toBe(text));

  it.each([
    '',
    'sip',
    'sip:',
    ':a',
    'sip:@host',
    'sip:a@',
    'sip:a b@c',
    'sip:a@b:99999',
    'sip:a@b:x',
    'sip:a@2001:db8::1',
    'sip:a@[::1',
    'sip:a@-b',
    '<sip:a@b>',
    'tel:',
    'sip:a@b;;c',
    'sip:a@b\r\n',
  ])('%j is refused', (text) => expect(readUri(text)).toBeUndefined());

  // RFC 3261 19.1.4
  it.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    ['sip:alice@atlanta.com?subject=project%20x&priority=urgent', 'sip:alice@atlanta.com?priority=urgent&subject=project%20x'],
  ])('%s equals %s', (a, b) => {
    expect(sameUri(uri(a), uri(b))).toBe(true);
    expect(sameUri(uri(b), uri(a))).toBe(true);
  });

  it.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:alice@a.com', 'sips:alice@a.com'],
  ])('%s differs from %s', (a, b) => {
    expect(sameUri(uri(a), uri(b))).toBe(false);
    expect(sameUri(uri(b), uri(a))).toBe(false);
  });

  it('escapes once and unescapes once', () => {
    expect(unescapeUri('v%61lue%25%34%31')).toBe('value%41');
    expect(escapeUser('1 0#1')).toBe('1%200%231');
  });
});

describe('addresses', () => {
  it.each([
    ['"A. G. Bell" <sip:agb@bell-telephone.com> ;tag=a48s', 'A. G. Bell', 'sip:agb@bell-telephone.com', 'a48s'],
    ['sip:+12125551212@server.phone2net.com;tag=887s', '', 'sip:+12125551212@server.phone2net.com', '887s'],
    ['caller<sip:caller@example.com>;tag=323', 'caller', 'sip:caller@example.com', '323'],
    ['<sip:a@b;x=1>', '', 'sip:a@b;x=1', undefined],
    ['"a \\" <b>" <sip:a@b>;tag=1', 'a " <b>', 'sip:a@b', '1'],
  ])('%s', (text, display, uriText, tag) => {
    const address = readAddress(text)!;
    expect([address.display, writeUri(address.uri), tagOf(address)]).toEqual([display, uriText, tag]);
    expect(readAddress(writeAddress(address))).toEqual(address);
  });

  it.each([
    '',
    '"a <sip:a@b>',
    'Bell, A <sip:a@b>',
    '< sip:a@b >',
    '<sip:a@b',
    '<sip:a@b>;;',
    '<sip:a@b> x',
    'sip:a@b?x=y',
    'sip:a@b;tag="x',
  ])('%j is refused', (text) => expect(readAddress(text)).toBeUndefined());
});

describe('Via', () => {
  it('allows blanks around its pieces', () => {
    const via = readVia('SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8  ')!;
    expect(writeVia(via)).toBe('SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8');
  });

  it.each([
    '',
    'SIP/2.0',
    'SIP/2.0/UDP',
    'SIP/1.0/UDP a',
    'HTTP/2.0/UDP a',
    'SIP/2.0/UDP a;;',
    'SIP/2.0/UDP [::1',
  ])('%j is refused', (text) => expect(readVia(text)).toBeUndefined());
});
