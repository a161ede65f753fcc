import { beforeEach, describe, expect, it } from 'vitest';
import { Calls } from '../../core/call/calls.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { AudioBus } from '../../core/media/audio-bus.js';
import { MediaPortPool } from '../../core/media/media-ports.js';
import type { SrtpMode } from '../../core/sdp/srtp.policy.js';
import type { Body, HeaderField } from '../../core/sip/compose.js';
import type { IncomingInvite } from '../../core/sip/incoming-invite.js';
import type { Reoffer, SessionEvents } from '../../core/sip/session.js';
import { fromUtf8, utf8 } from '../../hal/base/bytes.js';
import { fail, ok } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { Audio, Net, UdpSocket } from '../../hal/hal.js';
import { VirtualClock } from '../support/virtual-clock.js';

const LIMITS = { duration: 300_000, silence: 30_000 };
const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'; // RFC 4568 9.1's example key
const offer = (profile: 'RTP/AVP' | 'RTP/SAVP', crypto: boolean, port = 4000): Body => ({
  type: 'application/sdp',
  bytes: utf8(
    ['v=0', 'o=- 1 1 IN IP4 192.0.2.9', 's=-', 'c=IN IP4 192.0.2.9', 't=0 0', `m=audio ${port} ${profile} 0`]
      .concat(crypto ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`] : [])
      .concat('')
      .join('\r\n'),
  ),
});

/** A caller as the SIP stack shows it, and what it was told. */
class Caller {
  readonly told: string[] = [];
  answer = '';
  headers: readonly HeaderField[] = [];
  events: SessionEvents | undefined;

  invite(body: Body | undefined, transport: 'udp' | 'tls' = 'tls'): IncomingInvite {
    return {
      callId: 'a',
      account: 'page',
      from: 'sip:desk@example.test',
      to: 'sip:101@example.test',
      transport,
      offer: body,
      header: () => undefined,
      ring: () => this.told.push('180'),
      reject: (status, _reason, headers = []) => {
        this.told.push(String(status));
        this.headers = headers;
      },
      accept: (answer, events) => {
        this.told.push('200');
        this.answer = fromUtf8(answer.bytes);
        this.events = events;
        return { bye: (reason) => this.told.push(`BYE ${reason}`) };
      },
      onAbandoned: () => {},
    };
  }
}

describe('calls', () => {
  let clock: VirtualClock;
  let events: EndpointEvent[];
  let open: Set<number>;
  let speakers: number;
  let deliver: Map<number, Parameters<UdpSocket['onDatagram']>[0]>;

  beforeEach(() => {
    clock = new VirtualClock();
    events = [];
    open = new Set();
    deliver = new Map();
    speakers = 0;
  });

  const net: Pick<Net, 'udp'> = {
    udp: ({ port }) => {
      if (open.has(port)) return fail('addr-in-use', `${port}`);
      open.add(port);
      return ok({
        local: { address: '192.0.2.1', port },
        onDatagram: (listener) => void deliver.set(port, listener),
        send: () => 'sent',
        join: () => ok(undefined),
        leave: () => {},
        close: () => void open.delete(port),
      });
    },
  };
  const audio: Audio = {
    open: () => {
      speakers++;
      return ok({ close: () => void speakers-- });
    },
  };
  let idle = 0;
  const calls = (mode: SrtpMode = 'disabled', insecure: 'warn' | 'refuse' = 'warn', device: Audio = audio): Calls =>
    new Calls({
      kernel: createKernel(clock, (event) => events.push(event)),
      entropy: { fill: (out) => void out.fill(7) },
      bus: new AudioBus(device),
      ports: new MediaPortPool(net as Net, { first: 16_384, pairs: 4 }),
      localAddress: () => '192.0.2.1',
      srtp: { mode, suites: ['AES_CM_128_HMAC_SHA1_80'], insecure },
      limits: LIMITS,
      onIdle: () => idle++,
    });
  const names = (): string[] => events.map(({ event }) => event).filter((event) => event !== 'machine.state');
  const packet = (sequence: number): Uint8Array => {
    const bytes = new Uint8Array(172).fill(0xff);
    bytes.set([0x80, 0, sequence >> 8, sequence & 255, 0, 0, 0, 0, 1, 2, 3, 4]);
    return bytes;
  };
  const hear = (from: number, until: number): void => {
    for (let n = from; n < until; n++) {
      clock.run(20_000);
      deliver.get(16_384)?.(packet(n), { address: '192.0.2.9', port: 4000 }, clock.now());
    }
  };

  it('answers a page at once, and is established when the caller acknowledges', () => {
    const caller = new Caller();
    calls().onInvite(caller.invite(offer('RTP/AVP', false)));
    expect(caller.told).toEqual(['200']);
    expect(caller.answer).toContain('m=audio 16384 RTP/AVP 0');
    expect(names()).not.toContain('call.established');
    caller.events!.onConfirmed(undefined);
    expect(names()).toEqual(['call.incoming', 'media.started', 'call.established']);
    expect(speakers).toBe(1);
  });

  it('closes everything when the caller hangs up', () => {
    const caller = new Caller();
    const table = calls();
    table.onInvite(caller.invite(offer('RTP/AVP', false)));
    caller.events!.onConfirmed(undefined);
    hear(0, 50);
    caller.events!.onEnded('peer', 'BYE');
    expect(events.at(-2)).toMatchObject({ event: 'call.ended', by: 'peer', reason: 'BYE', seconds: 1 });
    expect({ ports: open.size, speakers, active: table.active, idle, told: caller.told }).toEqual({
      ports: 0,
      speakers: 0,
      active: 0,
      idle: 1,
      told: ['200'],
    });
  });

  it('serves one page at a time: the second caller is busy', () => {
    const [first, second] = [new Caller(), new Caller()];
    const table = calls();
    table.onInvite(first.invite(offer('RTP/AVP', false)));
    table.onInvite(second.invite(offer('RTP/AVP', false)));
    expect(second.told).toEqual(['486']);
    first.events!.onEnded('peer', 'BYE');
    const third = new Caller();
    table.onInvite(third.invite(offer('RTP/AVP', false)));
    expect(third.told).toEqual(['200']);
  });

  it.each([
    ['disabled', 'RTP/SAVP', true, '488', 'none'],
    ['disabled', 'RTP/AVP', true, '200', 'none'],
    ['optional', 'RTP/SAVP', true, '200', 'AES_CM_128_HMAC_SHA1_80'],
    ['optional', 'RTP/AVP', true, '200', 'AES_CM_128_HMAC_SHA1_80'],
    ['optional', 'RTP/AVP', false, '200', 'none'],
    ['standard', 'RTP/AVP', true, '200', 'AES_CM_128_HMAC_SHA1_80'],
    ['standard', 'RTP/AVP', false, '488', 'none'],
  ] as const)('SRTP %s against %s (keys: %s) is %s, %s', (mode, profile, crypto, status, srtp) => {
    const caller = new Caller();
    calls(mode).onInvite(caller.invite(offer(profile, crypto)));
    expect(caller.told).toEqual([status]);
    if (status === '488') {
      expect(caller.headers[0]?.[0]).toBe('warning');
      expect(events.at(-1)).toMatchObject({ event: 'call.rejected', status: 488 });
      expect({ ports: open.size, speakers }).toEqual({ ports: 0, speakers: 0 });
    } else {
      caller.events!.onConfirmed(undefined);
      expect(events.filter(({ event }) => event === 'call.established')).toMatchObject([{ srtp }]);
    }
  });

  it('tells of keys that crossed an unencrypted path, and refuses them where the setting asks', () => {
    const [warned, refused] = [new Caller(), new Caller()];
    calls('optional').onInvite(warned.invite(offer('RTP/AVP', true), 'udp'));
    expect(warned.told).toEqual(['200']);
    expect(names()).toContain('media.keys-exposed');
    warned.events!.onEnded('peer', 'BYE');
    calls('standard', 'refuse').onInvite(refused.invite(offer('RTP/SAVP', true), 'udp'));
    expect(refused.told).toEqual(['488']);
  });

  it('makes the offer where the caller wants one, and takes the answer from the ACK', () => {
    const caller = new Caller();
    calls('standard').onInvite(caller.invite(undefined));
    expect(caller.answer).toMatch(/m=audio 16384 RTP\/SAVP 0[\s\S]*a=crypto:1 AES_CM_128_HMAC_SHA1_80/);
    expect(speakers).toBe(0);
    caller.events!.onConfirmed(offer('RTP/SAVP', true));
    expect(events.filter(({ event }) => event === 'call.established')).toMatchObject([{ srtp: 'AES_CM_128_HMAC_SHA1_80' }]);
  });

  it('hangs up where that answer does not come, or is not acceptable', () => {
    for (const answer of [undefined, offer('RTP/AVP', false)]) {
      const caller = new Caller();
      calls('standard').onInvite(caller.invite(undefined));
      caller.events!.onConfirmed(answer);
      expect(caller.told[1]).toMatch(/^BYE /);
      expect({ ports: open.size, speakers }).toEqual({ ports: 0, speakers: 0 });
    }
  });

  it('follows a new offer in the call, and keeps the old agreement when it cannot', () => {
    const caller = new Caller();
    calls('optional').onInvite(caller.invite(offer('RTP/SAVP', true)));
    caller.events!.onConfirmed(undefined);
    const before = caller.answer;
    const reoffered: string[] = [];
    const reoffer = (body: Body): Reoffer => ({
      offer: body,
      accept: ({ bytes }) => reoffered.push(fromUtf8(bytes)),
      reject: (status) => reoffered.push(String(status)),
    });
    caller.events!.onReoffer(reoffer(offer('RTP/SAVP', true, 4002)));
    const key = /inline:\S+/;
    expect(reoffered[0]?.match(key)?.[0]).toBe(before.match(key)?.[0]);
    expect(reoffered[0]).toMatch(/o=- \d+ 2 /);
    caller.events!.onReoffer(reoffer(offer('RTP/SAVP', false)));
    expect(reoffered[1]).toBe('488');
    caller.events!.onReoffer(reoffer(offer('RTP/SAVP', true, 4004)));
    expect(reoffered[2]).toMatch(/o=- \d+ 3 /);
    expect(speakers).toBe(1);
  });

  it('never leaves the loudspeaker open: a caller that falls silent for good is hung up on', () => {
    const caller = new Caller();
    calls().onInvite(caller.invite(offer('RTP/AVP', false)));
    caller.events!.onConfirmed(undefined);
    hear(0, 50);
    clock.run(36 * SECOND);
    expect(caller.told).toEqual(['200', 'BYE no media']);
    expect(speakers).toBe(0);
  });

  it('lets a caller pause and go on', () => {
    const caller = new Caller();
    calls().onInvite(caller.invite(offer('RTP/AVP', false)));
    hear(0, 10);
    clock.run(20 * SECOND);
    caller.events!.onConfirmed(undefined);
    hear(1010, 1020);
    clock.run(20 * SECOND);
    hear(2010, 2020);
    expect(caller.told).toEqual(['200']);
    expect(names().filter((name) => name === 'call.established')).toHaveLength(1);
  });

  it('ends a page that never ends', () => {
    const caller = new Caller();
    calls().onInvite(caller.invite(offer('RTP/AVP', false)));
    caller.events!.onConfirmed(undefined);
    hear(0, 301 * 50);
    expect(caller.told).toEqual(['200', 'BYE maximum duration']);
    expect(events.some((event) => event.event === 'call.ended' && event.by === 'us' && event.seconds === 300)).toBe(true);
  });

  it('closes everything when the answer was never acknowledged', () => {
    const caller = new Caller();
    const table = calls();
    table.onInvite(caller.invite(offer('RTP/AVP', false)));
    caller.events!.onEnded('us', 'no ACK');
    expect({ ports: open.size, speakers, active: table.active }).toEqual({ ports: 0, speakers: 0, active: 0 });
    expect(names()).not.toContain('call.established');
  });

  it('tells the caller when the board cannot play', () => {
    const caller = new Caller();
    calls('disabled', 'warn', { open: () => fail('unsupported', 'the board has no loudspeaker') }).onInvite(
      caller.invite(offer('RTP/AVP', false)),
    );
    expect(caller.told).toEqual(['488']);
    expect(events.at(-1)).toMatchObject({ event: 'call.rejected', reason: 'the board has no loudspeaker' });
    expect(open.size).toBe(0);
  });
});
