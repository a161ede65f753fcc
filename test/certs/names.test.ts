import { describe, expect, it } from 'vitest';
import { type AltName, issueSelfSigned } from '../../core/certs/issue.js';
import { type NameRule, nameFault } from '../../core/certs/names.policy.js';
import { parsed, template, testKey, testPorts } from './support.js';

const HTTPS: NameRule = { scheme: 'https', wildcards: true, commonName: false };
const SIP: NameRule = { scheme: 'sip', wildcards: false, commonName: false };

const alt = (text: string): AltName => {
  const [type, ...value] = text.split('=');
  return { type: type as AltName['type'], value: value.join('=') };
};
const holding = (cn: string, names: readonly string[]) =>
  parsed(issueSelfSigned(testPorts(), template(cn, 0, names.length > 0 ? { names: names.map(alt) } : {}), testKey('ec-p256', 0).key));

const fits = (names: string[], reference: string, rule: NameRule, cn = 'cn.example.test'): boolean =>
  nameFault(holding(cn, names), reference, rule) === undefined;

describe('HTTPS names (RFC 6125)', () => {
  it.each<[string, string, boolean]>([
    ['dns=prov.example.test', 'prov.example.test', true],
    ['dns=prov.example.test', 'PROV.Example.Test.', true],
    ['dns=prov.example.test', 'example.test', false],
    ['dns=example.test', 'prov.example.test', false],
    ['dns=*.example.test', 'prov.example.test', true],
    ['dns=*.example.test', 'a.b.example.test', false],
    ['dns=*.example.test', 'example.test', false],
    ['dns=*.example.test', '.example.test', false],
    ['dns=*.test', 'example.test', false],
    ['dns=*', 'test', false],
    ['dns=p*v.example.test', 'prov.example.test', false],
    ['dns=prov.*.test', 'prov.example.test', false],
    ['ip=192.0.2.7', '192.0.2.7', true],
    ['ip=192.0.2.7', '192.0.2.8', false],
    ['dns=192.0.2.7', '192.0.2.7', false],
    ['ip=2001:db8::1', '2001:db8:0:0:0:0:0:1', true],
    ['ip=2001:db8::1', '[2001:db8::1]', true],
    ['ip=::ffff:192.0.2.7', '192.0.2.7', false],
    ['uri=sip:example.test', 'example.test', false],
    ['dns=xn--bcher-kva.test', 'bücher.test', false],
  ])('%s for %s: %s', (name, reference, expected) => expect(fits([name], reference, HTTPS)).toBe(expected));

  it('a CN counts only without alternative names, and only where it is allowed to', () => {
    const cn = { ...HTTPS, commonName: true };
    expect(fits([], 'pbx.example.test', cn, 'pbx.example.test')).toBe(true);
    expect(fits([], '192.0.2.7', cn, '192.0.2.7')).toBe(true);
    expect(fits([], 'pbx.example.test', HTTPS, 'pbx.example.test')).toBe(false);
    expect(fits(['dns=other.test'], 'pbx.example.test', cn, 'pbx.example.test')).toBe(false);
  });

  it('says for what it is instead, briefly', () => {
    const many = Array.from({ length: 9 }, (_, i) => `dns=h${i}.test`);
    expect(nameFault(holding('x', many), 'a.test', HTTPS)).toBe('it is for h0.test, h1.test, h2.test, h3.test and 5 more, not for a.test');
    expect(nameFault(holding('x', []), 'a.test', HTTPS)).toBe('it is for no name, not for a.test');
  });
});

describe('SIP names (RFC 5922)', () => {
  it.each<[string[], string, boolean]>([
    [['uri=sip:example.test'], 'example.test', true],
    [['uri=SIP:Example.Test'], 'example.test', true],
    [['uri=sip:example.test', 'dns=sip1.example.test'], 'sip1.example.test', false],
    [['uri=https://example.test/', 'dns=example.test'], 'example.test', true],
    [['uri=sip:101@example.test', 'dns=example.test'], 'example.test', true],
    [['uri=sip:101@example.test'], 'example.test', false],
    [['uri=sips:example.test'], 'example.test', false],
    [['uri=sip:example.test;transport=tls'], 'example.test', true],
    [['dns=example.test'], 'example.test', true],
    [['dns=*.example.test'], 'sip.example.test', false],
    [['ip=192.0.2.7'], '192.0.2.7', true],
  ])('%j for %s: %s', (names, reference, expected) => expect(fits(names, reference, SIP)).toBe(expected));

  it('takes wildcards where a policy allows them', () => {
    expect(fits(['dns=*.example.test'], 'sip.example.test', { ...SIP, wildcards: true })).toBe(true);
  });
});
