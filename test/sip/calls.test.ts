import { describe, expect, it } from 'vitest';
import { composeResponse } from '../../core/sip/compose.js';
import type { SipConfig } from '../../core/sip/config.js';
import { type SipMessage, type SipRequest, type SipResponse, toTag, writeMessage } from '../../core/sip/message.codec.js';
import type { Reoffer, Session, SessionEvents } from '../../core/sip/session.js';
import type { UdpSocket } from '../../hal/hal.js';
import { account, createRig, DEVICE, octets, type Rig, readOrThrow, SERVER, text } from './rig.js';

const SDP = { type: 'application/sdp', bytes: octets('v=0\r\n') };

interface Log extends SessionEvents {
  confirmed: (string | undefined)[];
  reoffers: Reoffer[];
  ended: string[];
}
function log(): Log {
  const out: Log = {
    ...{ confirmed: [], reoffers: [], ended: [] },
    onConfirmed: (answer) => out.confirmed.push(answer && text(answer.bytes)),
    onReoffer: (reoffer) => out.reoffers.push(reoffer),
    onEnded: (by, reason) => out.ended.push(`${by}: ${reason}`),
  };
  return out;
}

/** A caller that sends what a test writes and keeps what it gets; answers BYE. */
class Caller {
  readonly got: SipMessage[] = [];
  readonly socket: UdpSocket;
  #branch = 0;

  constructor(
    readonly rig: Rig,
    readonly address = SERVER,
  ) {
    const socket = rig.wire.host(address).udp({ port: 5060 });
    if (!socket.ok) throw new Error('no socket');
    this.socket = socket.value;
    this.socket.onDatagram((bytes, from) => {
      const message = readOrThrow(bytes);
      this.got.push(message);
      if (message.type === 'request') this.socket.send(from, writeMessage(composeResponse(message, { status: 200 })));
    });
  }

  send(
    method: string,
    options: { tag?: string; cseq?: number; branch?: string; fields?: string[]; body?: string; uri?: string; from?: string } = {},
  ): void {
    const { tag, cseq = 1, branch = `z9hG4bK${++this.#branch}`, fields = [], body = '', uri = `sip:101@${DEVICE}`, from = 'a' } = options;
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.address}:5060;branch=${branch}`,
      'Max-Forwards: 70',
      `From: <sip:200@${SERVER}>;tag=${from}`,
      `To: <sip:101@${SERVER}>${tag === undefined ? '' : `;tag=${tag}`}`,
      'Call-ID: call-1',
      `CSeq: ${cseq} ${method === 'ACK' ? 'INVITE' : method}`.replace('ACK INVITE', 'INVITE'),
      `Contact: <sip:200@${this.address}>`,
      ...fields,
    ];
    if (method === 'ACK') lines[6] = `CSeq: ${cseq} ACK`;
    if (body !== '' && !fields.some((field) => field.startsWith('Content-Type'))) lines.push('Content-Type: application/sdp');
    lines.push(`Content-Length: ${body.length}`, '', body);
    this.socket.send({ address: DEVICE, port: 5060 }, octets(lines.join('\r\n')));
  }

  statuses(): number[] {
    return this.got.filter((m) => m.type === 'response').map((m) => m.status);
  }
  last(): SipMessage {
    return this.got.at(-1)!;
  }
}

function setUp(config: Partial<SipConfig> = {}): { rig: Rig; caller: Caller } {
  const rig = createRig(config);
  expect(rig.stack.start().ok).toBe(true);
  return { rig, caller: new Caller(rig) };
}

function answered(config: Partial<SipConfig> = {}): { rig: Rig; caller: Caller; events: Log; session: Session; tag: string } {
  const { rig, caller } = setUp(config);
  caller.send('INVITE', { body: 'v=0\r\n', fields: ['Record-Route: <sip:10.0.0.1;lr>'] });
  rig.run(5);
  const events = log();
  const session = rig.invites[0]!.accept(SDP, events)!;
  rig.run(5);
  return { rig, caller, events, session, tag: toTag(caller.last())! };
}

describe('an incoming call', () => {
  it('is offered, rings, is answered, confirmed and hung up by the caller', () => {
    const { rig, caller } = setUp();
    caller.send('INVITE', { body: 'v=0\r\n', fields: ['Record-Route: <sip:10.0.0.1;lr>'] });
    rig.run(5);
    const invite = rig.invites[0]!;
    expect(invite).toMatchObject({ callId: 'call-1', account: undefined, from: `sip:200@${SERVER}`, transport: 'udp' });
    expect(text(invite.offer!.bytes)).toBe('v=0\r\n');
    const events = log();
    invite.ring();
    invite.accept(SDP, events);
    rig.run(5);
    const ok = caller.last() as SipResponse;
    expect(caller.statuses()).toEqual([180, 200]);
    expect(ok.headers.get('record-route')).toBe('<sip:10.0.0.1;lr>');
    expect(ok.headers.get('contact')).toBe(`<sip:101@${DEVICE}:5060>`);
    expect(ok.headers.get('content-type')).toBe('application/sdp');
    expect(toTag(ok)).toBe(toTag(caller.got[0]!));
    caller.send('ACK', { tag: toTag(ok)! });
    caller.send('BYE', { tag: toTag(ok)!, cseq: 2 });
    rig.run(5);
    expect(events).toMatchObject({ confirmed: [undefined], ended: ['peer: BYE'] });
    expect(caller.statuses()).toEqual([180, 200, 200]);
    rig.run(40_000);
    expect(rig.kernel.pendingTimers()).toEqual([]);
  });

  it('repeats the 200 until the ACK comes', () => {
    const { rig, caller, events, tag } = answered();
    rig.run(3_600);
    // At 0, 500, 1500 and 3500 ms.
    expect(caller.statuses()).toEqual([200, 200, 200, 200]);
    caller.send('ACK', { tag });
    rig.run(10_000);
    expect(caller.statuses()).toHaveLength(4);
    expect(events.confirmed).toHaveLength(1);
  });

  it('is ended by a BYE along the route when no ACK comes within 32 s', () => {
    const { rig, caller, events } = answered();
    rig.run(33_000);
    expect(events).toMatchObject({ confirmed: [], ended: ['us: not acknowledged'] });
    const bye = caller.last() as SipRequest;
    expect(bye.method).toBe('BYE');
    expect(bye.headers.get('route')).toBe('<sip:10.0.0.1;lr>');
    rig.run(40_000);
    expect(rig.kernel.pendingTimers()).toEqual([]);
  });

  it('is hung up by us: not before the ACK', () => {
    const { rig, caller, events, session, tag } = answered();
    session.bye('page over');
    session.bye('twice');
    rig.run(10);
    expect(events.ended).toEqual(['us: page over']);
    expect(caller.got.filter((m) => m.type === 'request')).toHaveLength(0);
    caller.send('ACK', { tag });
    rig.run(10);
    const bye = caller.last() as SipRequest;
    expect([bye.method, bye.headers.get('reason'), toTag(bye)]).toEqual(['BYE', 'SIP;text="page over"', 'a']);
    expect(events.confirmed).toEqual([]);
  });

  it('gives the answer of a delayed offer with the ACK', () => {
    const { rig, caller } = setUp();
    caller.send('INVITE');
    rig.run(5);
    expect(rig.invites[0]!.offer).toBeUndefined();
    const events = log();
    rig.invites[0]!.accept(SDP, events);
    rig.run(5);
    caller.send('ACK', { tag: toTag(caller.last())!, body: 'answer' });
    rig.run(5);
    expect(events.confirmed).toEqual(['answer']);
  });

  it('is cancelled', () => {
    const { rig, caller } = setUp();
    caller.send('INVITE', { branch: 'z9hG4bKx' });
    rig.run(5);
    const reasons: string[] = [];
    rig.invites[0]!.onAbandoned((reason) => reasons.push(reason));
    caller.send('CANCEL', { branch: 'z9hG4bKx' });
    rig.run(5);
    expect(reasons).toEqual(['cancelled']);
    expect(caller.got.map((m) => m.type === 'response' && `${m.status} ${m.cseq.method}`).sort()).toEqual(['200 CANCEL', '487 INVITE']);
    expect(rig.invites[0]!.accept(SDP, log())).toBeUndefined();
    caller.send('ACK', { branch: 'z9hG4bKx', tag: 'x' });
    rig.run(40_000);
    expect(caller.statuses()).toHaveLength(2);
  });

  it('that nobody answers is told so', () => {
    const { rig, caller } = setUp();
    caller.send('INVITE');
    rig.run(300);
    expect(caller.statuses()).toEqual([100]);
    rig.run(181_000);
    expect(caller.statuses().at(-1)).toBe(480);
  });

  it('that comes twice is offered once, and the answer comes twice', () => {
    const { rig, caller } = setUp();
    for (let i = 0; i < 2; i++) caller.send('INVITE', { branch: 'z9hG4bKx' });
    rig.run(5);
    expect(rig.invites).toHaveLength(1);
    rig.invites[0]!.reject(486);
    rig.run(5);
    caller.send('INVITE', { branch: 'z9hG4bKx' });
    rig.run(5);
    expect(caller.statuses()).toEqual([486, 486]);
  });

  it('by two ways is a merged request', () => {
    const { rig, caller } = setUp();
    caller.send('INVITE', { branch: 'z9hG4bKx' });
    caller.send('INVITE', { branch: 'z9hG4bKy' });
    rig.run(5);
    expect(rig.invites).toHaveLength(1);
    expect(caller.statuses()).toEqual([482]);
  });
});

describe('a re-INVITE', () => {
  it('is offered and answered, and moves the target', () => {
    const { rig, caller, events, session, tag } = answered();
    caller.send('ACK', { tag });
    caller.send('INVITE', { tag, cseq: 2, body: 'hold' });
    rig.run(5);
    expect(text(events.reoffers[0]!.offer!.bytes)).toBe('hold');
    events.reoffers[0]!.accept(SDP);
    rig.run(5);
    expect(caller.last()).toMatchObject({ status: 200, cseq: { number: 2 } });
    caller.send('ACK', { tag, cseq: 2 });
    session.bye('x');
    rig.run(5);
    expect((caller.last() as SipRequest).uri).toMatchObject({ user: '200', host: SERVER });
  });

  it('while another is open gets a 500 with Retry-After', () => {
    const { rig, caller, events, tag } = answered();
    caller.send('ACK', { tag });
    caller.send('INVITE', { tag, cseq: 2 });
    caller.send('INVITE', { tag, cseq: 3 });
    rig.run(5);
    expect(events.reoffers).toHaveLength(1);
    expect(caller.last()).toMatchObject({ status: 500 });
    expect(caller.last().headers.get('retry-after')).toBe('2');
  });

  it('that is never acknowledged ends the call within 45 s', () => {
    const { rig, caller, events, tag } = answered();
    caller.send('ACK', { tag });
    caller.send('INVITE', { tag, cseq: 2 });
    rig.run(5);
    events.reoffers[0]!.accept(SDP);
    rig.run(45_000);
    expect(events.ended).toEqual(['us: not acknowledged']);
  });

  it('is not acknowledged by an earlier ACK once more', () => {
    const { rig, caller, events, tag } = answered();
    caller.send('ACK', { tag });
    caller.send('INVITE', { tag, cseq: 2 });
    rig.run(5);
    events.reoffers[0]!.accept(SDP);
    caller.send('ACK', { tag });
    rig.run(700);
    expect(caller.got.filter((m) => m.cseq.number === 2)).toHaveLength(2);
    caller.send('ACK', { tag, cseq: 2 });
    rig.run(10_000);
    expect(caller.got.filter((m) => m.cseq.number === 2)).toHaveLength(2);
  });

  it('refused leaves the call as it was', () => {
    const { rig, caller, events, tag } = answered();
    caller.send('ACK', { tag });
    caller.send('INVITE', { tag, cseq: 2 });
    rig.run(5);
    events.reoffers[0]!.reject(488);
    rig.run(5);
    expect(caller.last()).toMatchObject({ status: 488 });
    expect(events.ended).toEqual([]);
  });
});

describe('requests that need nobody', () => {
  const one = (config: Partial<SipConfig>, ...args: Parameters<Caller['send']>): SipResponse => {
    const { rig, caller } = setUp(config);
    caller.send(...args);
    rig.run(5);
    expect(caller.got).toHaveLength(1);
    return caller.last() as SipResponse;
  };
  const server = { domain: { host: '10.9.9.9' } };

  it('OPTIONS gets what we do', () => {
    const response = one({}, 'OPTIONS');
    expect(response.status).toBe(200);
    expect(response.headers.get('allow')).toBe('INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY');
    expect(response.headers.get('accept')).toBe('application/sdp');
  });

  it.each([
    ['REGISTER', {}, 405, 'allow'],
    ['FOO', {}, 501, 'allow'],
    ['BYE', {}, 481, undefined],
    ['BYE', { tag: 'nobody' }, 481, undefined],
    ['INVITE', { tag: 'nobody' }, 481, undefined],
    ['CANCEL', {}, 481, undefined],
    ['INVITE', { fields: ['Require: 100rel, nothing'] }, 420, 'unsupported'],
    ['INVITE', { body: 'x', fields: ['Content-Type: text/plain'] }, 415, 'accept'],
    ['INVITE', { body: 'x', fields: ['Content-Encoding: gzip'] }, 415, 'accept-encoding'],
    ['INVITE', { fields: ['Accept: text/plain'] }, 406, undefined],
    ['INVITE', { uri: 'tel:+123' }, 416, undefined],
    ['INVITE', { uri: `sip:101@${DEVICE}?X=y` }, 400, undefined],
  ] as const)('%s %j gets %i', (method, options, status, field) => {
    const response = one({}, method, { ...options, fields: [...((options as { fields?: string[] }).fields ?? [])] });
    expect(response.status).toBe(status);
    if (field) expect(response.headers.has(field)).toBe(true);
  });

  it('a call for nobody gets 404 where there are accounts', () => {
    expect(one({ server, accounts: [account] }, 'INVITE', { uri: `sip:999@${DEVICE}` }).status).toBe(404);
  });

  it('a stranger gets 403 where only the server may call', () => {
    expect(one({ server, accounts: [account], accept: 'proxy' }, 'INVITE').status).toBe(403);
  });

  describe('NOTIFY', () => {
    /** The caller's address is the server's. */
    const known = { server: { domain: { host: SERVER } }, accounts: [account] } as const;
    const notify = (config: Partial<SipConfig>, event: string | undefined, uri = `sip:101@${DEVICE}`) => {
      const { rig, caller } = setUp(config);
      rig.run(5);
      caller.send('NOTIFY', { uri, fields: event === undefined ? [] : [event] });
      rig.run(5);
      return { status: (caller.last() as SipResponse).status, headers: (caller.last() as SipResponse).headers, wishes: rig.checkSyncs };
    };

    it.each<[string, object]>([
      ['Event: check-sync', {}],
      ['o: Check-Sync', {}],
      ['Event: check-sync;reboot=true', { reboot: true }],
      ['Event: check-sync ; reboot = FALSE;id=7', { reboot: false }],
      ['Event: check-sync;reboot=maybe', {}],
    ])('%s is answered with 200, and passed on', (event, wish) => {
      expect(notify(known, event)).toMatchObject({ status: 200, wishes: [wish] });
    });

    it.each([
      'Event: message-summary',
      'Event: check-sync;;',
      'Event: check-synchronously',
      undefined,
    ])('%s is no event of ours: 489', (event) => {
      const { status, headers, wishes } = notify(known, event);
      expect({ status, wishes, allowed: headers.get('allow-events') }).toEqual({ status: 489, wishes: [], allowed: 'check-sync' });
    });

    it('of a stranger is refused, also where anybody may call; so is one for nobody', () => {
      expect(notify({}, 'Event: check-sync')).toMatchObject({ status: 403, wishes: [] });
      expect(notify({ server, accounts: [account] }, 'Event: check-sync')).toMatchObject({ status: 403, wishes: [] });
      expect(notify(known, 'Event: check-sync', `sip:999@${DEVICE}`)).toMatchObject({ status: 404, wishes: [] });
      expect(notify({ ...known, accept: 'proxy' }, 'Event: check-sync')).toMatchObject({ status: 200, wishes: [{}] });
    });

    it('sent twice is one wish', () => {
      const { rig, caller } = setUp(known);
      rig.run(5);
      for (const _ of [1, 2]) caller.send('NOTIFY', { branch: 'z9hG4bKsame', fields: ['Event: check-sync'] });
      rig.run(5);
      expect({ statuses: caller.statuses(), wishes: rig.checkSyncs.length }).toEqual({ statuses: [200, 200], wishes: 1 });
    });
  });

  it('the server may call', () => {
    const { rig, caller } = setUp({ server: { domain: { host: SERVER } }, accounts: [account], accept: 'proxy' });
    rig.run(5);
    caller.send('INVITE');
    rig.run(5);
    expect(rig.invites).toMatchObject([{ account: 'page' }]);
  });

  it('beyond the bound gets 503 without a trace, and strangers leave room for the server', () => {
    const { rig, caller } = setUp({ limits: { client: 4, server: 8 }, server: { domain: { host: SERVER } }, accounts: [account] });
    rig.run(5);
    const stranger = new Caller(rig, '10.0.0.66');
    for (let i = 0; i < 20; i++) stranger.send('OPTIONS', { cseq: i + 1, from: `s${i}` });
    rig.run(5);
    expect(stranger.statuses().filter((status) => status === 503)).toHaveLength(14);
    caller.send('OPTIONS');
    rig.run(5);
    expect(caller.statuses()).toEqual([200]);
  });
});

it('keepalives and noise on the UDP port are ignored', () => {
  const { rig, caller } = setUp();
  for (const noise of ['\r\n\r\n', '\0\0\0\0', 'x'.repeat(2000), 'SIP/2.0 200 OK\r\n\r\n'])
    caller.socket.send({ address: DEVICE, port: 5060 }, octets(noise));
  rig.run(100);
  expect(caller.got).toEqual([]);
});
