import { describe, expect, it } from 'vitest';
import { digestResponse, readDigestParams } from '../../core/auth/digest.js';
import { writeAddress } from '../../core/sip/address.codec.js';
import { composeResponse, type ResponseParts } from '../../core/sip/compose.js';
import type { SipConfig } from '../../core/sip/config.js';
import { StreamFramer } from '../../core/sip/framer.engine.js';
import { type SipRequest, writeMessage } from '../../core/sip/message.codec.js';
import { writeUri } from '../../core/sip/uri.codec.js';
import type { ByteStream } from '../../hal/hal.js';
import { account, createRig, octets, type Rig, readOrThrow, SERVER, testCrypto, text } from './rig.js';

const server = { domain: { host: SERVER } };

interface Registrar {
  requests: { at: number; request: SipRequest }[];
  /** Undefined leaves the request unanswered. */
  answer(request: SipRequest): ResponseParts | undefined;
  streams: ByteStream[];
  pings: number;
  pong: boolean;
}

/** Answers REGISTER on UDP 5060 and, framed, on TCP 5060 and "TLS" 5061. */
function createRegistrar(rig: Rig, answer: Registrar['answer'], address = SERVER): Registrar {
  const registrar: Registrar = { requests: [], answer, streams: [], pings: 0, pong: true };
  const net = rig.wire.host(address);
  const handle = (bytes: Uint8Array, reply: (bytes: Uint8Array) => void): void => {
    const message = readOrThrow(bytes);
    if (message.type !== 'request') return;
    registrar.requests.push({ at: rig.clock.now() / 1000, request: message });
    const parts = registrar.answer(message);
    if (parts) reply(writeMessage(composeResponse(message, { toTag: 'srv', ...parts })));
  };
  const socket = net.udp({ port: 5060 });
  if (!socket.ok) throw new Error('no socket');
  socket.value.onDatagram((bytes, from) => handle(bytes, (reply) => socket.value.send(from, reply)));
  for (const port of [5060, 5061]) {
    net.listen({ port, backlog: 1 }, (stream) => {
      registrar.streams.push(stream);
      const framer = new StreamFramer();
      stream.onEvent((event) => {
        if (event.type !== 'data') return;
        for (const framed of framer.push(event.bytes)) {
          if (framed.type === 'message') handle(framed.bytes, (reply) => stream.write(reply));
          if (framed.type === 'ping') {
            registrar.pings++;
            if (registrar.pong) stream.write(octets('\r\n'));
          }
        }
      });
    });
  }
  return registrar;
}

const CHALLENGE = (nonce: string, extra = ''): ResponseParts => ({
  status: 401,
  headers: [['www-authenticate', `Digest realm="r", nonce="${nonce}", qop="auth", algorithm=MD5${extra}`]],
});

/** The password is checked as a registrar does it. */
function isAuthorized(request: SipRequest, nonce: string): boolean {
  const params = readDigestParams(request.headers.get('authorization') ?? '');
  if (!params || params.get('nonce') !== nonce) return false;
  const expected = digestResponse(testCrypto, {
    ...{ algorithm: 'MD5', user: '101', realm: 'r', password: 'secret', method: 'REGISTER', nonce },
    uri: params.get('uri')!,
    counted: { nc: params.get('nc')!, cnonce: params.get('cnonce')! },
  });
  return params.get('response') === expected;
}

const granted = (request: SipRequest, seconds: number): ResponseParts => ({
  status: 200,
  headers: request.headers.all('contact').map((contact) => ['contact', `${contact};expires=${seconds}`] as const),
});

function register(config: Partial<SipConfig>, answer: Registrar['answer']): Rig & { registrar: Registrar } {
  const rig = createRig({ server, accounts: [account], ...config });
  const registrar = createRegistrar(rig, answer);
  expect(rig.stack.start().ok).toBe(true);
  return { ...rig, registrar };
}

const withDigest =
  (seconds: number): Registrar['answer'] =>
  (request) =>
    isAuthorized(request, 'n1') ? granted(request, seconds) : CHALLENGE('n1');

describe('registering', () => {
  it('answers the challenge and reports what was granted', () => {
    const rig = register({}, withDigest(3600));
    rig.run(100);
    expect(rig.registrar.requests).toHaveLength(2);
    const [first, second] = rig.registrar.requests.map(({ request }) => request);
    expect(writeUri(first!.uri)).toBe(`sip:${SERVER}`);
    expect(writeAddress(first!.to)).toBe(`"Lobby" <sip:101@${SERVER}>`);
    expect(first!.headers.get('contact')).toBe('<sip:101@10.0.0.2:5060>');
    expect(first!.headers.get('expires')).toBe('3600');
    expect(second!.callId).toBe(first!.callId);
    expect(second!.cseq.number).toBe(first!.cseq.number + 1);
    expect(rig.events.at(-2)).toMatchObject({
      event: 'registration.registered',
      account: 'page',
      server: '10.0.0.1:5060',
      transport: 'udp',
      expires: 3600,
    });
    expect(rig.stack.registrations()).toEqual([{ account: 'page', status: 'registered' }]);
    expect(JSON.stringify(rig.events)).not.toMatch(/secret|response=/);
  });

  it('refreshes within what was granted, not what was asked, with the nonce that it has', () => {
    const rig = register({}, withDigest(20));
    rig.run(100_000);
    const times = rig.registrar.requests.slice(1).map(({ at }) => at);
    expect(times.length).toBeGreaterThan(5);
    for (let i = 1; i < times.length; i++) {
      expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(10_000);
      expect(times[i]! - times[i - 1]!).toBeLessThanOrEqual(16_100);
    }
    const counts = rig.registrar.requests.slice(1).map(({ request }) => readDigestParams(request.headers.get('authorization')!)!.get('nc'));
    expect(counts.slice(0, 3)).toEqual(['00000001', '00000002', '00000003']);
    expect(rig.names()).toEqual(['registration.registered']);
  });

  it('takes the Expires field where the Contact says nothing', () => {
    const rig = register({}, () => ({ status: 200, headers: [['expires', '60']] }));
    rig.run(100);
    expect(rig.events.find(({ event }) => event === 'registration.registered')).toMatchObject({ expires: 60 });
  });

  it('asks for the longer period that a 423 wants', () => {
    const rig = register({ registerPeriod: 60 }, (request) =>
      Number(request.headers.get('expires')) < 300 ? { status: 423, headers: [['min-expires', '300']] } : granted(request, 300),
    );
    rig.run(100);
    expect(rig.registrar.requests.map(({ request }) => request.headers.get('expires'))).toEqual(['60', '300']);
    expect(rig.names()).toEqual(['registration.registered']);
  });

  it('tries a stale nonce again and goes on', () => {
    let nonce = 'n1';
    const rig = register({}, (request) => (isAuthorized(request, nonce) ? granted(request, 20) : CHALLENGE(nonce, ', stale=true')));
    rig.run(1_000);
    nonce = 'n2';
    rig.run(20_000);
    expect(rig.names()).toEqual(['registration.registered']);
    expect(rig.registrar.requests.map(({ request }) => isAuthorized(request, 'n2')).filter(Boolean)).not.toHaveLength(0);
  });

  it.each([
    ['the same nonce', () => 'n1'],
    ['new ones', (n: number) => `n${n}`],
  ])('a wrong password is refused after one answer, challenged with %s', (_, nonce) => {
    let n = 0;
    const rig = register({}, () => CHALLENGE(nonce(++n)));
    rig.run(25_000);
    expect(rig.registrar.requests).toHaveLength(2);
    expect(rig.names()).toEqual(['registration.refused']);
    expect(rig.stack.registrations()[0]!.status).toBe('rejected');
    rig.run(35_000);
    expect(rig.registrar.requests).toHaveLength(4);
  });

  it('waits as long as Retry-After says', () => {
    const rig = register({}, (request) =>
      rig.clock.now() < 60e6 ? { status: 503, headers: [['retry-after', '100 (I am busy);duration=5']] } : granted(request, 3600),
    );
    rig.run(99_000);
    expect(rig.registrar.requests).toHaveLength(1);
    rig.run(12_000);
    expect(rig.names()).toEqual(['registration.refused', 'registration.registered']);
  });

  it('asks a server in trouble ever less often, up to every 30 s', () => {
    const rig = register({}, () => ({ status: 500 }));
    rig.run(600_000);
    const gaps = rig.registrar.requests.map(({ at }, i, all) => (i === 0 ? 0 : at - all[i - 1]!.at)).slice(1);
    expect(gaps[0]).toBeLessThanOrEqual(2_010);
    for (const gap of gaps.slice(5)) expect(gap).toSatisfy((ms: number) => ms >= 15_000 && ms <= 30_010);
  });

  it('is registered again soon after a silence, and spaces its attempts', () => {
    const rig = register({}, withDigest(3600));
    rig.wire.cut = true;
    rig.run(120_000);
    expect(rig.registrar.requests).toHaveLength(0);
    const failures = rig.events.filter(({ event }) => event === 'registration.failed');
    expect(failures[0]).toMatchObject({ kind: 'timeout' });
    for (const failure of failures) expect(failure).toMatchObject({ retryIn: expect.toSatisfy((us: number) => us >= 1e6 && us <= 30e6) });
    rig.wire.cut = false;
    rig.run(35_000);
    expect(rig.names().at(-1)).toBe('registration.registered');
  });

  it('goes on with the next target when one does not answer', () => {
    const rig = createRig({ server: { domain: { host: 'sip.example.test' } }, accounts: [account] });
    rig.wire.dns.set('SRV _sip._udp.sip.example.test', [
      { priority: 1, weight: 0, port: 5060, target: 'a.example.test' },
      { priority: 2, weight: 0, port: 5060, target: 'b.example.test' },
    ]);
    rig.wire.dns.set('A a.example.test', ['10.0.0.8']);
    rig.wire.dns.set('A b.example.test', ['10.0.0.9']);
    const second = createRegistrar(rig, withDigest(3600), '10.0.0.9');
    rig.stack.start();
    rig.run(33_000);
    expect(second.requests).toHaveLength(2);
    expect(rig.names()).toEqual(['registration.registered']);
  });

  it('unregisters at the end, and closes its ports', () => {
    const rig = register({}, withDigest(3600));
    rig.run(100);
    let stopped = false;
    rig.stack.stop(() => {
      stopped = true;
    });
    rig.run(100);
    const last = rig.registrar.requests.at(-1)!.request;
    expect([last.headers.get('expires'), last.headers.get('contact')]).toEqual(['0', '<sip:101@10.0.0.2:5060>']);
    expect(stopped).toBe(true);
    expect(rig.names().at(-1)).toBe('registration.unregistered');
    expect(rig.kernel.pendingTimers()).toEqual([]);
  });

  it('does not wait long for a server that is gone', () => {
    const rig = register({}, withDigest(3600));
    rig.run(100);
    rig.wire.cut = true;
    let stopped = false;
    rig.stack.stop(() => {
      stopped = true;
    });
    rig.run(2_500);
    expect(stopped).toBe(true);
    expect(rig.names()).not.toContain('registration.unregistered');
    expect(rig.kernel.pendingTimers()).toEqual([]);
  });
});

describe.each(['tcp', 'tls'] as const)('registering over %s', (transport) => {
  const start = (): Rig & { registrar: Registrar } => register({ transport }, withDigest(3600));

  it('names the port of the connection in its Contact and keeps it alive', () => {
    const rig = start();
    rig.run(95_000);
    expect(rig.registrar.requests[0]!.request.headers.get('contact')).toBe(`<sip:101@10.0.0.2:40000;transport=${transport}>`);
    expect(rig.registrar.pings).toBe(3);
    expect(rig.registrar.streams).toHaveLength(1);
  });

  it('notices within 40 s that the connection died silently, and takes the old Contact back', () => {
    const rig = start();
    rig.run(35_000);
    rig.wire.cut = true;
    rig.run(30_000);
    rig.wire.cut = false;
    rig.registrar.streams[0]!.onEvent(() => {});
    rig.run(15_000);
    expect(rig.names()).toEqual(['registration.registered', 'registration.failed', 'registration.registered']);
    const contacts = rig.registrar.requests.at(-1)!.request.headers.all('contact');
    expect(contacts).toHaveLength(2);
    expect(contacts[1]).toBe(`<sip:101@10.0.0.2:40000;transport=${transport}>;expires=0`);
  });

  it('does not hold a missing pong against a server that never sent one', () => {
    const rig = start();
    rig.registrar.pong = false;
    rig.run(200_000);
    expect(rig.names()).toEqual(['registration.registered']);
    expect(rig.registrar.pings).toBe(6);
  });

  it('registers again when the server closes the connection', () => {
    const rig = start();
    rig.run(1_000);
    rig.registrar.streams[0]!.abort();
    rig.run(5_000);
    expect(rig.names()).toEqual(['registration.registered', 'registration.failed', 'registration.registered']);
  });

  it('closes a connection on which REGISTER gets no answer, and makes another', () => {
    const rig = start();
    let silent = true;
    rig.registrar.answer = (request) => (silent ? undefined : withDigest(3600)(request));
    rig.run(33_000);
    silent = false;
    rig.run(5_000);
    expect(rig.registrar.streams).toHaveLength(2);
    expect(rig.names()).toEqual(['registration.failed', 'registration.registered']);
  });

  it('registers from its new address', () => {
    const rig = start();
    rig.run(1_000);
    rig.stack.addressChanged();
    rig.run(1_000);
    expect(rig.registrar.streams).toHaveLength(2);
    expect(rig.names()).toEqual(['registration.registered', 'registration.registered']);
  });
});

it('two accounts share one connection', () => {
  const second = { ...account, id: 'ring', user: '102' };
  const rig = createRig({ server, accounts: [account, second], transport: 'tls' });
  const registrar = createRegistrar(rig, (request) => granted(request, 3600));
  rig.stack.start();
  rig.run(100);
  expect(registrar.streams).toHaveLength(1);
  expect(registrar.requests.map(({ request }) => text(octets(writeUri(request.to.uri))))).toEqual([
    `sip:101@${SERVER}`,
    `sip:102@${SERVER}`,
  ]);
});
