import { describe, expect, it } from 'vitest';
import type { SrtpMode } from '../../core/sdp/srtp.policy.js';
import { readAddress } from '../../core/sip/address.codec.js';
import { param } from '../../core/sip/text.js';
import { latin1, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { TlsIdentity } from '../../hal/hal.js';
import type { LinkFaults } from '../../sim/lan/link.js';
import { type CallerOptions, startCaller } from '../../sim/peers/sip/caller.js';
import { type SipServerOptions, startSipServer } from '../../sim/peers/sip/sip-server.js';
import { platform, SimLab, START } from '../support/sim-lab.js';
import { SipPhone } from '../support/sip-phone.js';
import { collect } from '../support/streams.js';
import { makeTestPki } from '../support/test-pki.js';

const DOMAIN = 'sip.example.test';
const MAC = '0022EE0A0001';
const pki = makeTestPki(platform, { mac: MAC, serverName: DOMAIN, at: START });

interface Setup {
  seed?: number;
  faults?: Partial<LinkFaults>;
  transport?: 'udp' | 'tls';
  phone?: { srtp?: SrtpMode; user?: string; password?: string; identity?: TlsIdentity | 'none' };
  caller?: Partial<CallerOptions>;
  server?: Partial<SipServerOptions>;
}

/** A proxy, a phone that registers at once, and a caller. */
function setUp({ seed, faults, transport = 'tls', phone: device = {}, caller = {}, server = {} }: Setup) {
  const lab = new SimLab({ ...(seed === undefined ? {} : { seed }), ...(faults ? { faults } : {}) });
  const tls = { identity: pki.server, clientCertificate: 'required', clientAuthorities: [pki.root] } as const;
  const users = new Map([['101', 'secret']]);
  const sip = expectOk(startSipServer(lab.host('sip', 3), { domain: DOMAIN, users, udp: {}, tls, ...server }), 'SIP server');
  const proxy = { address: '10.0.0.3', port: transport === 'tls' ? 5061 : 5060 };
  const identity = device.identity ?? pki.device;
  const phone = new SipPhone({
    host: lab.host('phone', 10),
    domain: DOMAIN,
    proxy,
    transport,
    user: device.user ?? '101',
    password: device.password ?? 'secret',
    srtp: device.srtp ?? 'standard',
    ...(identity === 'none' ? {} : { identity }),
  });
  const options = { user: 'desk', domain: DOMAIN, proxy, transport, identity: pki.device, srtp: 'standard', tone: 1000 } as const;
  const desk = expectOk(startCaller(lab.host('desk', 20), { ...options, ...caller }), 'caller');
  lab.world.at(0, () => phone.start());
  return { lab, phone, desk, sip };
}

describe('registrar', () => {
  it.each(['udp', 'tls'] as const)('challenges, registers and grants by %s', async (transport) => {
    const { lab, phone } = setUp({ transport, server: { maximumExpires: 600 } });
    await lab.world.run(5 * SECOND);
    expect(phone.seen).toEqual(['401', '200']);
    expect(phone.registrations[0]!.headers.all('www-authenticate').map((value) => /algorithm=([^,]+)/.exec(value)![1])).toEqual([
      'SHA-256',
      'MD5',
    ]);
    const contact = readAddress(phone.registrations[1]!.headers.get('contact')!)!;
    expect(param(contact.params, 'expires')).toBe('600');
    expect(lab.logged('server.registered')).toMatchObject([{ account: '101', expires: 600, clientCN: transport === 'tls' ? MAC : '' }]);
  });

  it('takes MD5 where only that is offered', async () => {
    const { lab, phone } = setUp({ transport: 'udp', server: { algorithms: ['MD5'] } });
    await lab.world.run(5 * SECOND);
    expect(phone.seen).toEqual(['401', '200']);
  });

  it('refuses a wrong password, and logs no secret', async () => {
    const { lab, phone } = setUp({ transport: 'udp', phone: { password: 'guess' } });
    await lab.world.run(5 * SECOND);
    expect(phone.seen).toEqual(['401', '403']);
    expect(lab.logged('server.refused')).toMatchObject([{ account: '101', detail: 'wrong user or password for 101' }]);
    expect(JSON.stringify(lab.log)).not.toMatch(/guess|secret/);
  });

  it('knows no user that it was not given, and lets nobody register another', async () => {
    const { lab, phone } = setUp({ transport: 'udp', phone: { user: '999', password: '' } });
    await lab.world.run(5 * SECOND);
    expect(phone.seen).toEqual(['401', '403']);
    expect(lab.logged('server.registered')).toEqual([]);
  });

  it('asks again with stale=true when a nonce has aged, and takes the same password', async () => {
    const { lab, phone } = setUp({ transport: 'udp' });
    lab.world.at(400 * SECOND, () => phone.register(3600));
    await lab.world.run(410 * SECOND);
    expect(phone.seen).toEqual(['401', '200', '401', '200']);
    expect(phone.registrations[2]!.headers.get('www-authenticate')).toMatch(/stale=true/);
  });

  it('forgets on Expires: 0, and when the time is over', async () => {
    const { lab, phone, desk } = setUp({ transport: 'udp', server: { maximumExpires: 100 } });
    lab.world.at(50 * SECOND, () => phone.register(0));
    lab.world.at(55 * SECOND, () => desk.call({ extension: '101', for: SECOND }));
    lab.world.at(60 * SECOND, () => phone.register(3600));
    lab.world.at(161 * SECOND, () => desk.call({ extension: '101', for: SECOND }));
    lab.world.at(170 * SECOND, () => desk.call({ extension: '999', for: SECOND }));
    await lab.world.run(200 * SECOND);
    expect(lab.logged('server.unregistered')).toHaveLength(1);
    expect(lab.logged('caller.rejected').map(({ status }) => status)).toEqual([480, 480, 404]);
  });

  it.each([
    ['none', 'no certificate'],
    ['a stranger’s', 'unknown-issuer'],
  ])('turns away a client whose certificate is %s before it can speak', async (which, why) => {
    const { lab, phone } = setUp({ phone: { identity: which === 'none' ? 'none' : pki.stranger } });
    await lab.world.run(60 * SECOND);
    expect(phone.registrations).toEqual([]);
    expect(lab.logged('server.registered')).toEqual([]);
    expect(JSON.stringify(lab.logged('server.refused'))).toMatch(new RegExp(why));
  });
});

describe('a page through the proxy', () => {
  const outcomes: [SrtpMode, CallerOptions['srtp'], string][] = [
    ['disabled', 'standard', '488'],
    ['disabled', 'optional', 'none'],
    ['disabled', 'none', 'none'],
    ['optional', 'standard', 'AES_CM_128_HMAC_SHA1_80'],
    ['optional', 'optional', 'AES_CM_128_HMAC_SHA1_80'],
    ['optional', 'none', 'none'],
    ['standard', 'standard', 'AES_CM_128_HMAC_SHA1_80'],
    ['standard', 'optional', 'AES_CM_128_HMAC_SHA1_80'],
    ['standard', 'none', '488'],
  ];
  it.each(outcomes)('phone %s, caller %s: %s', async (phoneMode, callerMode, outcome) => {
    const { lab, phone, desk } = setUp({ phone: { srtp: phoneMode }, caller: { srtp: callerMode } });
    lab.world.at(2 * SECOND, () => desk.call({ extension: '101', for: 5 * SECOND }));
    await lab.world.run(60 * SECOND);
    if (outcome === '488') {
      expect(lab.logged('caller.rejected')).toMatchObject([{ to: `sip:101@${DOMAIN}`, status: 488 }]);
      expect(phone.heard).toBe(0);
      return;
    }
    expect(lab.logged('caller.established')).toMatchObject([{ codec: 'PCMU', srtp: outcome }]);
    expect(lab.logged('caller.ended')).toMatchObject([{ by: 'caller', sent: 250 }]);
    expect([phone.heard, phone.unauthentic]).toEqual([250, 0]);
    expect(phone.seen).toEqual(['401', '200', 'INVITE', 'ACK', 'BYE']);
  });

  it('goes by UDP too, and from a caller by UDP to a phone by TLS', async () => {
    const { lab, phone, desk } = setUp({ transport: 'udp', phone: { srtp: 'disabled' }, caller: { srtp: 'none' } });
    lab.world.at(2 * SECOND, () => desk.call({ extension: '101', for: SECOND }));
    await lab.world.run(60 * SECOND);
    expect(phone.seen).toEqual(['401', '200', 'INVITE', 'ACK', 'BYE']);
    const proxy = { address: '10.0.0.3', port: 5060 };
    const mixed = setUp({ phone: { srtp: 'disabled' }, caller: { srtp: 'none', transport: 'udp', proxy } });
    mixed.lab.world.at(2 * SECOND, () => mixed.desk.call({ extension: '101', for: SECOND }));
    await mixed.lab.world.run(60 * SECOND);
    expect(mixed.phone.seen).toEqual(['401', '200', 'INVITE', 'ACK', 'BYE']);
    expect(mixed.phone.invite?.headers.list('record-route')).toEqual([
      '<sip:10.0.0.3:5061;transport=tls;lr>',
      '<sip:10.0.0.3:5060;transport=udp;lr>',
    ]);
  });

  it('ends when the phone hangs up: its BYE finds the caller', async () => {
    const { lab, phone, desk } = setUp({});
    lab.world.at(2 * SECOND, () => desk.call({ extension: '101', for: 60 * SECOND }));
    lab.world.at(5 * SECOND, () => phone.hangUp());
    await lab.world.run(10 * SECOND);
    expect(lab.logged('caller.ended')).toMatchObject([{ by: 'device' }]);
    expect(phone.seen.at(-1)).toBe('BYE 200');
  });

  it.each(['udp', 'tls'] as const)('gets through a bad network by %s', async (transport) => {
    const faults = { latency: 1000, jitter: 30_000, loss: 0.05 };
    const { lab, phone, desk } = setUp({ transport, faults, seed: 7, phone: { srtp: 'optional' }, caller: { srtp: 'optional' } });
    lab.world.at(20 * SECOND, () => desk.call({ extension: '101', for: 5 * SECOND }));
    await lab.world.run(120 * SECOND);
    expect(phone.seen).toContain('BYE');
    expect(lab.logged('caller.ended')).toHaveLength(1);
    expect(phone.heard / 250).toBeGreaterThan(0.8);
    expect(phone.unauthentic).toBe(0);
  });

  it('answers a keepalive with one CRLF', async () => {
    const { lab } = setUp({});
    const client = lab.host('client', 30);
    const stream = client.tls.client(client.net.connect({ address: '10.0.0.3', port: 5061 }), {
      versions: { min: '1.2', max: '1.3' },
      identity: pki.device,
      verify: () => ({ ok: true, verified: false }),
    });
    const got = collect(stream, () => stream.write(utf8('\r\n\r\n')));
    await lab.world.run(5 * SECOND);
    expect(latin1(got.bytes)).toBe('\r\n');
  });

  it('reports a proxy that is not there', async () => {
    const { lab, desk } = setUp({ caller: { proxy: { address: '10.0.0.3', port: 5999 } } });
    lab.world.at(2 * SECOND, () => desk.call({ extension: '101', for: SECOND }));
    await lab.world.run(10 * SECOND);
    expect(lab.logged('caller.failed')).toMatchObject([{ to: `sip:101@${DOMAIN}`, kind: 'refused' }]);
  });
});

describe('determinism', () => {
  const run = async (seed: number) => {
    const { lab, desk } = setUp({ seed, faults: { latency: 1000, jitter: 30_000, loss: 0.05 } });
    lab.world.at(5 * SECOND, () => desk.call({ extension: '101', for: 2 * SECOND }));
    await lab.world.run(30 * SECOND);
    return { log: lab.log, frames: lab.frames };
  };

  it('same seed, same run, frame by frame, TLS and faults included; another seed another', async () => {
    const first = await run(7);
    expect(first.log.map(({ event }) => event)).toContain('caller.ended');
    expect(await run(7)).toEqual(first);
    expect((await run(8)).frames).not.toEqual(first.frames);
  });
});

describe('check-sync', () => {
  it.each(['udp', 'tls'] as const)('reaches who has registered, over the flow that it registered on, by %s', async (transport) => {
    const { lab, phone, sip } = setUp({ transport });
    const events: (string | undefined)[] = [];
    lab.world.at(5 * SECOND, () => sip.checkSync('101'));
    lab.world.at(6 * SECOND, () => sip.checkSync('101', true));
    lab.world.at(7 * SECOND, () => sip.checkSync('999'));
    phone.onRequest = ({ method, headers }) => method === 'NOTIFY' && events.push(headers.get('event'));
    await lab.world.run(10 * SECOND);
    expect(events).toEqual(['check-sync', 'check-sync;reboot=true']);
    expect(lab.logged('server.notified')).toMatchObject([
      { account: '101', status: 200 },
      { account: '101', status: 200 },
    ]);
  });

  it('is repeated over UDP, and given up when nobody answers', async () => {
    const { lab, sip } = setUp({ transport: 'udp' });
    lab.world.at(5 * SECOND, () => lab.lan.ports.find(({ name }) => name === 'phone')!.cut());
    lab.world.at(6 * SECOND, () => sip.checkSync('101'));
    await lab.world.run(60 * SECOND);
    expect(lab.logged('server.notified')).toMatchObject([{ account: '101', kind: 'timeout' }]);
  });
});
