import { describe, expect, it } from 'vitest';
import { type TlsPolicy, tlsPolicy, versionsOf } from '../../core/tls/tls.policy.js';

const validate = { provisioning: false, sip: true };
const range = (min: '1.0' | '1.1' | '1.2', max: '1.2' | '1.3'): TlsPolicy['versions'] => ({ min, max });

describe('TLS versions', () => {
  it.each([
    ['1.0', true, '1.0', '1.2', false],
    ['1.1', true, '1.2', '1.2', true],
    ['1.1', false, '1.1', '1.2', true],
    ['1.2', true, '1.2', '1.3', false],
  ] as const)('firmware from %s, forced %s: from %s to %s', (min, forceSecure, from, max, forceSecureTls) => {
    const policy = tlsPolicy({ tlsVersions: range(min, max), forceSecureTls }, { validate, forceSecure });
    expect(policy).toEqual({ versions: { min: from, max }, validate });
  });

  it('are none without TLS', () => expect(tlsPolicy({ forceSecureTls: false }, { validate, forceSecure: true })).toBeUndefined());

  it('are those that the engine has too', () => {
    expect(versionsOf(range('1.0', '1.3'), ['1.2', '1.3'])).toEqual({ min: '1.2', max: '1.3' });
    expect(versionsOf(range('1.1', '1.2'), ['1.2'])).toEqual({ min: '1.2', max: '1.2' });
    expect(versionsOf(range('1.2', '1.3'), ['1.0', '1.1'])).toBeUndefined();
  });
});
