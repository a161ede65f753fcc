import { describe, expect, it } from 'vitest';
import { authority, formatUrl, inFolder, isIpAddress, originOf, parseUrl, resolveReference, shownUrl } from '../../core/http/url.js';
import { latin1, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { fuzz } from '../support/mutation.js';

const url = (text: string) => expectOk(parseUrl(text), text);

describe('URLs', () => {
  it.each([
    ['https://prov.example.test/', { scheme: 'https', host: 'prov.example.test', port: 443, path: '/' }],
    ['HTTPS://Prov.Example.test', { scheme: 'https', host: 'prov.example.test', port: 443, path: '/' }],
    ['http://192.0.2.7:8080/a/b?c=d', { scheme: 'http', host: '192.0.2.7', port: 8080, path: '/a/b?c=d' }],
    ['tftp://[2001:db8::1]/x', { scheme: 'tftp', host: '2001:db8::1', port: 69, path: '/x' }],
    ['http://a.test?x=1', { scheme: 'http', host: 'a.test', port: 80, path: '/?x=1' }],
    ['http://a.test/f%20g', { scheme: 'http', host: 'a.test', port: 80, path: '/f%20g' }],
  ])('reads %s', (text, expected) => expect(url(text)).toEqual(expected));

  it.each([
    ['prov.example.test', 'scheme://host/path'],
    ['ldap://a.test/', 'ldap is no way to fetch a file'],
    ['http://user:secret@a.test/', 'user and password do not belong'],
    ['http:///x', 'is no host'],
    // Found by the long hunt: without a colon it would be written without its brackets.
    ['http://[....]/', 'is no host'],
    ['http://a_b c/', 'is no host'],
    ['http://a.test:0/', '0 is no port'],
    ['http://a.test:70000/', '70000 is no port'],
    ['http://a.test/a b', 'must be written as %20'],
    ['http://a.test/\r\nX: y', 'must be written as %20'],
    ['http://a.test/%zz', 'must be written as %20'],
    ['http://a.test/#f', 'scheme://host/path'],
    [`http://a.test/${'x'.repeat(3000)}`, 'longer than 2048'],
  ])('refuses %s', (text, words) => expect(parseUrl(text)).toEqual({ ok: false, error: expect.stringContaining(words) }));

  it('writes what it read', () => {
    for (const text of ['https://prov.example.test/', 'http://192.0.2.7:8080/a/b?c=d', 'tftp://[2001:db8::1]/x']) {
      expect(formatUrl(url(text))).toBe(text);
    }
    expect(authority(url('https://a.test:8443/'))).toBe('a.test:8443');
    expect(authority(url('http://[::1]/'))).toBe('[::1]');
  });

  it.each([
    ['http://a.test', '/f.conf'],
    ['http://a.test/prov', '/prov/f.conf'],
    ['http://a.test/prov/', '/prov/f.conf'],
    ['http://a.test/prov?x=1', '/prov/f.conf'],
  ])('finds a file in the folder %s', (folder, path) => expect(inFolder(url(folder), 'f.conf').path).toBe(path));

  it.each([
    // RFC 3986 part 5.4, as far as its references are to servers.
    ['g', 'http://a/b/c/g'],
    ['./g', 'http://a/b/c/g'],
    ['g/', 'http://a/b/c/g/'],
    ['/g', 'http://a/g'],
    ['//g', 'http://g/'],
    ['?y', 'http://a/b/c/d;p?y'],
    ['g?y', 'http://a/b/c/g?y'],
    ['#s', 'http://a/b/c/d;p?q'],
    ['g?y#s', 'http://a/b/c/g?y'],
    ['', 'http://a/b/c/d;p?q'],
    ['.', 'http://a/b/c/'],
    ['./', 'http://a/b/c/'],
    ['..', 'http://a/b/'],
    ['../g', 'http://a/b/g'],
    ['../..', 'http://a/'],
    ['../../../g', 'http://a/g'],
    ['/./g', 'http://a/g'],
    ['/../g', 'http://a/g'],
    ['g.', 'http://a/b/c/g.'],
    ['..g', 'http://a/b/c/..g'],
    ['./g/.', 'http://a/b/c/g/'],
    ['g/../h', 'http://a/b/c/h'],
    ['g?y/../x', 'http://a/b/c/g?y/../x'],
    ['https://b:8443/x/../y', 'https://b:8443/y'],
  ])('a reference %j means %s', (reference, expected) =>
    expect(formatUrl(expectOk(resolveReference(url('http://a/b/c/d;p?q'), reference), reference))).toBe(expected));

  it.each([
    ['http://u:p@b/', 'user and password'],
    ['file:///etc/passwd', 'file is no way'],
    ['mailto:a@b', 'scheme://host/path'],
    ['/a b', 'must be written as'],
    [`/${'x'.repeat(3000)}`, 'longer than'],
  ])('a reference %j leads nowhere', (reference, words) =>
    expect(resolveReference(url('http://a/b'), reference)).toEqual({ ok: false, error: expect.stringContaining(words) }));

  it('says who answers, and shows no query', () => {
    expect(originOf(url('https://a.test:8443/x?y'))).toBe('https://a.test:8443');
    expect(originOf(url('https://a.test:443/x'))).toBe('https://a.test');
    expect(shownUrl(url('https://a.test/x?signature=secret'))).toBe('https://a.test/x?…');
  });

  it('knows an address from a name', () => {
    expect(['192.0.2.7', '255.255.255.255', '0.0.0.0', '2001:db8::1', '::'].every(isIpAddress)).toBe(true);
    expect(['a.test', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.4.', 'a1.2.3.4'].some(isIpAddress)).toBe(false);
  });

  it('never throws, and what it reads it can write and read again', () => {
    const samples = ['https://prov.example.test:8443/a/b?c=d', 'tftp://[2001:db8::1]/x'].map(utf8);
    fuzz(samples, 20_000, (input) => {
      const read = parseUrl(latin1(input));
      if (read.ok) expect(url(formatUrl(read.value))).toEqual(read.value);
      const resolved = resolveReference(url('http://a/b/c/d;p?q'), latin1(input));
      if (resolved.ok) expect(url(formatUrl(resolved.value))).toEqual(resolved.value);
    });
  });
});
