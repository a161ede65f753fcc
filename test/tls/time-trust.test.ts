/** What is decided about a server before the time is known, and what waits. */
import { describe, expect, it } from 'vitest';
import { issueCertificate, issueSelfSigned } from '../../core/certs/issue.js';
import type { AnchorIndex } from '../../core/certs/path.policy.js';
import { type Judgement, judgePeer, type PeerQuestion } from '../../core/tls/tls.policy.js';
import type { Der, UnixMillis } from '../../hal/hal.js';
import { date, nodeCrypto, parsed, template, testKey, testPorts } from '../certs/support.js';

const ports = testPorts();
const key = (index: number) => testKey('ec-p256', index);
const self = (name: string, index: number, from: string, until: string) => ({
  certificate: issueSelfSigned(ports, template(name, index, { authority: {}, from: date(from), until: date(until) }), key(index).key),
  key: key(index).key,
});
const root = self('Root', 0, '2020-01-01', '2040-01-01');
const rogue = self('Rogue', 1, '2020-01-01', '2040-01-01');
const under = (issuer: typeof root, from: string, until: string, name = 'prov.example.test'): Der =>
  issueCertificate(
    ports,
    template(name, 3, { names: [{ type: 'dns', value: name }], purposes: ['serverAuth'], from: date(from), until: date(until) }),
    issuer,
  );
const intermediate = (from: string, until: string) => ({
  certificate: issueCertificate(ports, template('Intermediate', 2, { authority: {}, from: date(from), until: date(until) }), root),
  key: key(2).key,
});
const anchors: AnchorIndex = {
  bySubject: (name) =>
    [root.certificate]
      .map(parsed)
      .flatMap((certificate) => (name.key.join() === certificate.subject.key.join() ? [{ certificate, origin: 'uploaded' }] : [])),
};

/** Firmware of the start of 2026 in a device without a clock. */
const FLOOR = date('2026-01-01');

const judge = (chain: readonly Der[], more: Partial<PeerQuestion> = {}): Judgement =>
  judgePeer({
    ...{ service: 'provisioning', chain, name: 'prov.example.test', use: 'talk', validate: true, sipWildcards: false },
    ...{ wall: { at: FLOOR, trust: 'none' }, anchors, crypto: nodeCrypto },
    ...more,
  });

function ask(chain: readonly Der[], more: Partial<PeerQuestion> = {}) {
  const { verdict } = judge(chain, more);
  return verdict.ok ? { ok: true, verified: verdict.verified } : verdict.rule;
}
const known = (at: UnixMillis): Partial<PeerQuestion> => ({ wall: { at, trust: 'network' } });

const GOOD = [under(root, '2025-06-01', '2026-09-01')];
const RENEWED = [under(root, '2026-05-01', '2026-08-01')];
const ENDED = [under(root, '2024-01-01', '2025-01-01')];

describe('before the time is known', () => {
  it.each([
    ['is good at the floor', GOOD],
    ['begins after the floor', RENEWED],
  ])('a certificate that %s waits: for settings, for calls, for clients', (_what, chain) => {
    expect(ask(chain)).toBe('time-not-trusted');
    expect(ask(chain, { service: 'sip' })).toBe('time-not-trusted');
    const client = [issueCertificate(ports, template('desk', 4, { purposes: ['clientAuth'] }), root)];
    expect(ask(client, { service: 'sip-server' })).toBe('time-not-trusted');
  });

  it.each([
    ['had ended by the floor', ENDED, 'expired'],
    ['is of an unknown authority', [under(rogue, '2025-06-01', '2026-09-01')], 'unknown-issuer'],
    ['has another name', [under(root, '2025-06-01', '2026-09-01', 'other.example.test')], 'name'],
    ['is not to be read', [Uint8Array.of(1)], 'malformed'],
    ['is missing', [], 'no-certificate'],
  ])('one that %s is refused for that, for every use', (_what, chain, rule) => {
    expect(ask(chain)).toBe(rule);
    expect(ask(chain, { use: 'date' })).toBe(rule);
  });

  it('a path is refused that was good at no time, though each of its certificates was or may be', () => {
    const late = intermediate('2026-10-01', '2030-01-01');
    const early = under(late, '2025-06-01', '2026-09-01');
    expect(ask([early, late.certificate], { use: 'date' })).toBe('expired');
    const fits = intermediate('2026-08-01', '2030-01-01');
    expect(ask([under(fits, '2025-06-01', '2026-09-01'), fits.certificate], { use: 'date' })).toEqual({ ok: true, verified: false });
  });

  it.each([
    ['good at the floor', GOOD],
    ['begun since', RENEWED],
  ])('the date may be asked of a server whose certificate is %s, and it is not called verified', (_what, chain) => {
    expect(ask(chain, { use: 'date' })).toEqual({ ok: true, verified: false });
  });

  it('nothing changes where validation is off, but for the date, which is taken from nobody unseen', () => {
    expect(ask(ENDED, { validate: false })).toEqual({ ok: true, verified: false });
  });
});

describe('at the date that a server gave', () => {
  it.each([
    ['2026-06-15', RENEWED, { ok: true, verified: true }],
    ['2026-04-30', RENEWED, 'not-yet-valid'],
    ['2026-08-02', RENEWED, 'expired'],
    ['2026-09-02', GOOD, 'expired'],
  ] as const)('%s its certificates are judged again, wholly', (at, chain, expected) => {
    expect(ask(chain, { use: 'date', ...known(date(at)) })).toEqual(expected);
  });
});

describe('when the time is known', () => {
  it('everything is decided', () => {
    expect(ask(RENEWED, known(FLOOR))).toBe('not-yet-valid');
    expect(ask(GOOD, known(FLOOR))).toEqual({ ok: true, verified: true });
    expect(ask(GOOD, { wall: { at: FLOOR, trust: 'rtc' } })).toEqual({ ok: true, verified: true });
  });

  it('a path that holds shows that its youngest certificate has begun; nothing else shows that', () => {
    const summer = known(date('2026-06-15'));
    expect([judge(RENEWED, summer), judge(GOOD, summer)].map(({ begun }) => begun)).toEqual([date('2026-05-01'), date('2025-06-01')]);
    expect([
      judge(ENDED, summer),
      judge(GOOD),
      judge(GOOD, { use: 'date' }),
      judge(GOOD, { ...summer, validate: false }),
    ]).not.toContainEqual(expect.objectContaining({ begun: expect.anything() }));
  });
});
