import { describe, expect, it } from 'vitest';
import { board8180g2 } from '../../boards/8180-g2.js';
import { tlsPolicyOf } from '../../core/device/configuration.js';
import { featuresOf } from '../../core/device/features.js';
import { Settings } from '../../core/settings/settings.js';
import { suitesOf } from '../../core/tls/suites.policy.js';
import { type TlsPolicy, tlsPolicy, versionsOf } from '../../core/tls/tls.policy.js';
import { createNodeTls } from '../../hal/node/tls.js';

const validate = { provisioning: false, sip: true };
const settings = { validate, sipWildcards: false, forceSecure: false, weak: false };
const range = (min: '1.0' | '1.1' | '1.2', max: '1.2' | '1.3'): TlsPolicy['versions'] => ({ min, max });

describe('TLS versions', () => {
  it.each([
    ['1.0', true, '1.0', '1.2', false],
    ['1.1', true, '1.2', '1.2', true],
    ['1.1', false, '1.1', '1.2', true],
    ['1.2', true, '1.2', '1.3', false],
  ] as const)('firmware from %s, forced %s: from %s to %s', (min, forceSecure, from, max, forceSecureTls) => {
    const policy = tlsPolicy({ tlsVersions: range(min, max), forceSecureTls }, { ...settings, forceSecure });
    expect(policy).toMatchObject({ versions: { min: from, max }, validate, sipWildcards: false });
  });

  it('are none without TLS', () => expect(tlsPolicy({ forceSecureTls: false }, settings)).toBeUndefined());

  it('are those that the engine has too', () => {
    expect(versionsOf(range('1.0', '1.3'), ['1.2', '1.3'])).toEqual({ min: '1.2', max: '1.3' });
    expect(versionsOf(range('1.1', '1.2'), ['1.2'])).toEqual({ min: '1.2', max: '1.2' });
    expect(versionsOf(range('1.2', '1.3'), ['1.0', '1.1'])).toBeUndefined();
  });
});

describe('cipher suites', () => {
  const all = [suitesOf(range('1.0', '1.2'), true), suitesOf(range('1.2', '1.3'), true), suitesOf(range('1.2', '1.3'), false)];

  it('are AES or ChaCha20, whatever is asked for', () => {
    for (const suite of all.flatMap((list) => list.split(':'))) {
      expect(suite).toMatch(/AES|CHACHA20/);
      expect(suite).not.toMatch(/RC4|DES|NULL|EXP|anon|ADH|AECDH|MD5|PSK|^DHE|-CCM|!|\+|@/);
    }
  });

  it('have forward secrecy and authenticated encryption where nothing older is asked for', () => {
    for (const suite of all[2]!.split(':')) expect(suite).toMatch(/^(TLS_|ECDHE-).*(GCM|CHACHA20)/);
    expect(all[1]).toContain(all[2]!);
    expect(all[1]).toContain(':AES128-SHA');
  });

  it('of TLS 1.3 go with TLS 1.3', () => {
    expect(all.map((list) => list.includes('TLS_AES'))).toEqual([false, true, true]);
  });

  it.each(all)('are understood by OpenSSL: %s', (suites) => {
    // A context that cannot be made closes its stream with `unsupported` at once.
    const aborted: string[] = [];
    const under = {
      onEvent: () => {},
      write: () => 0,
      pause: () => {},
      resume: () => {},
      end: () => {},
      abort: () => void aborted.push(suites),
    };
    const stream = createNodeTls({ now: () => 0 }).client(under, {
      versions: range('1.0', '1.2'),
      suites,
      verify: () => ({ ok: true, verified: false }),
    });
    expect(aborted).toEqual([]);
    stream.abort();
  });
});

describe('settings', () => {
  const policyOf = (firmware: string, values: Record<string, string>): TlsPolicy | undefined => {
    const owner = { board: board8180g2, features: featuresOf(board8180g2, firmware), mac: '0022EE0A0001' };
    return tlsPolicyOf(new Settings(owner).withProvisioned(new Map(Object.entries(values))));
  };

  it.each([
    ['5.5', {}, true],
    ['5.5', { 'net.weaktls.use': '0' }, false],
    ['4.1', {}, true],
  ])('firmware %s with %j takes older suites: %s', (firmware, values, older) => {
    expect(policyOf(firmware, values)?.suites.includes('AES128-SHA')).toBe(older);
  });

  it('forbid wildcards for SIP unless they say otherwise', () => {
    expect([policyOf('5.5', {}), policyOf('5.5', { 'sip.tls.wildcard': '1' })].map((policy) => policy?.sipWildcards)).toEqual([
      false,
      true,
    ]);
  });

  it('switch validation for provisioning and for SIP apart', () => {
    const settings = { 'prov.download.cert': '1', 'sip.tls.cert': '0' };
    expect(policyOf('5.5', settings)?.validate).toEqual({ provisioning: true, sip: false });
  });
});
