import { describe, expect, it } from 'vitest';
import { MediaPortPool } from '../../core/media/media-ports.js';
import { type MediaSession, openMediaSession } from '../../core/media/media-session.js';
import type { SrtpKey } from '../../core/media/srtp-suites.js';
import { SineTone } from '../../core/media/tones.js';
import type { NegotiatedMedia } from '../../core/sdp/negotiated.js';
import { hex } from '../../hal/base/bytes.js';
import { expectOk, fail } from '../../hal/base/result.js';
import { MINUTE, SECOND } from '../../hal/base/time.js';
import { type Endpoint, MediaBench } from './bench.js';
import { shareOf, soundIn } from './tone.js';

const KEY: SrtpKey = { suite: 'AES_CM_128_HMAC_SHA1_80', material: new Uint8Array(30).fill(0x4b) };
const OTHER_KEY: SrtpKey = { suite: 'AES_CM_128_HMAC_SHA1_80', material: new Uint8Array(30).fill(0x5c) };
const SECURE = { suite: KEY.suite, insecureKeys: false };
const CLEAR: NegotiatedMedia = { codec: 'PCMU', payloadType: 0, direction: 'sendrecv', remote: { address: '10.0.0.2', port: 16384 } };

interface Call {
  bench: MediaBench;
  device: Endpoint;
  caller: Endpoint;
  session: MediaSession;
  peer: MediaSession;
  silences: boolean[];
  /** Gives the device a new agreement, in a turn of its kernel as the call would. */
  agree(media: NegotiatedMedia): void;
  /** Events of the device by name. */
  of(name: string): Record<string, unknown>[];
}

/** A device that is called, and a caller that sends a tone of 1000 Hz; both by the same code. */
function call(media: Partial<NegotiatedMedia> = {}, secure = false): Call {
  const bench = new MediaBench();
  const device = bench.endpoint('10.0.0.1', 1);
  const caller = bench.endpoint('10.0.0.2', 2);
  const silences: boolean[] = [];
  const tone = new SineTone({ frequency: 1000, rate: 8000, amplitude: 16000 });
  const open = (endpoint: Endpoint, negotiated: NegotiatedMedia, more: object): MediaSession => {
    const { kernel, bus, net, address } = endpoint;
    const entropy = endpoint === caller ? { fill: (out: Uint8Array) => void out.fill(0xff) } : device.entropy;
    const ports = expectOk(new MediaPortPool(net, { first: 16384, pairs: 4 }).open(), 'ports');
    return expectOk(
      openMediaSession({ kernel, entropy, bus, call: 'c1', ports, localAddress: address, media: negotiated, ...more }),
      'session',
    );
  };
  const session = open(
    device,
    { ...CLEAR, ...media, ...(secure ? { srtp: { ...SECURE, local: OTHER_KEY, remote: KEY } } : {}) },
    { onSilence: (silent: boolean) => silences.push(silent) },
  );
  const peer = open(
    caller,
    {
      ...CLEAR,
      ...media,
      remote: { address: '10.0.0.1', port: 16384 },
      ...(secure ? { srtp: { ...SECURE, local: KEY, remote: OTHER_KEY } } : {}),
    },
    { talk: (out: Int16Array) => tone.fill(out) },
  );
  const of = (name: string): Record<string, unknown>[] => device.events.filter(({ event }) => event === name);
  const agree = (media: NegotiatedMedia): void => device.kernel.turn(bench.clock.now(), () => expectOk(session.update(media), 'update'));
  return { bench, device, caller, session, peer, silences, agree, of };
}

/** The device's agreement with some of it changed. */
const changed = (media: Partial<NegotiatedMedia>, secure = false): NegotiatedMedia => ({
  ...CLEAR,
  ...(secure ? { srtp: { ...SECURE, local: OTHER_KEY, remote: KEY } } : {}),
  ...media,
});

describe('a page', () => {
  it.each([
    ['PCMU', 0],
    ['PCMA', 8],
    ['PCMA', 97],
  ] as const)('in %s, payload type %i, is heard', (codec, payloadType) => {
    const { bench, device, session, of } = call({ codec, payloadType });
    bench.clock.run(5 * SECOND);
    expect(shareOf(1000, 16_000, device.speaker)).toBeGreaterThan(0.99);
    expect(soundIn(16_000, device.speaker)).toMatchObject({ silent: 0 });
    expect(of('media.started')).toMatchObject([{ call: 'c1', codec: `${codec}/8000`, local: '10.0.0.1:16384', remote: '10.0.0.2:16384' }]);
    expect(of('media.first-packet')).toMatchObject([{ after: 21_000 }]);
    expect(of('media.secured')).toEqual([]);
    expect(session.close()).toMatchObject({ packets: 249, lost: 0, rejected: 0, jitter: 0, sent: 250 });
    expect(of('media.ended')).toMatchObject([{ call: 'c1', packets: 249, lost: 0, rejected: 0, jitter: 0 }]);
  });

  it('with SRTP is heard, reported as secured once, and on the wire it is noise', () => {
    const { bench, device, of, caller } = call({}, true);
    bench.clock.run(5 * SECOND);
    expect(shareOf(1000, 16_000, device.speaker)).toBeGreaterThan(0.99);
    expect(of('media.secured')).toMatchObject([{ call: 'c1', suite: 'AES_CM_128_HMAC_SHA1_80' }]);
    const tones = bench.sent.filter(({ from }) => from.address === caller.address).map(({ bytes }) => hex(bytes.subarray(12, 172)));
    expect(bench.sent.every(({ bytes }) => bytes.length === 182)).toBe(true);
    expect(new Set(tones).size).toBe(tones.length);
    expect(JSON.stringify(device.events)).not.toContain('4b4b');
  });

  it('is sent every 20 ms exactly, with timestamps of the same step, from a random beginning', () => {
    const { bench } = call();
    bench.clock.run(2 * SECOND);
    const ours = bench.sent.filter(({ from }) => from.address === '10.0.0.1').map(({ bytes }) => Buffer.from(bytes));
    expect(ours.length).toBe(100);
    ours.forEach((packet, i) => {
      expect(packet.readUInt16BE(2)).toBe((ours[0]!.readUInt16BE(2) + i) & 0xffff);
      expect(packet.readUInt32BE(4)).toBe((ours[0]!.readUInt32BE(4) + 160 * i) >>> 0);
      expect(packet[1]).toBe(i === 0 ? 0x80 : 0);
    });
    expect(ours[0]!.readUInt32BE(4)).not.toBe(0);
    // Silence, where nobody talks.
    expect(ours[0]!.subarray(12).every((octet) => octet === 0xff)).toBe(true);
  });

  it('opens the loudspeaker while it lasts, and frees its ports', () => {
    const { device, session } = call();
    expect(device.outputs.open).toBe(1);
    session.close();
    session.close();
    expect(device.outputs.open).toBe(0);
    expect(device.events.filter(({ event }) => event === 'media.ended').length).toBe(1);
    expect(new MediaPortPool(device.net, { first: 16384, pairs: 1 }).open().ok).toBe(true);
    expect(device.kernel.pendingTimers()).toEqual([]);
  });

  it('does not begin where there is no loudspeaker, and frees its ports', () => {
    const bench = new MediaBench();
    const { kernel, entropy, net, address } = bench.endpoint('10.0.0.1', 1);
    const ports = expectOk(new MediaPortPool(net, { first: 16384, pairs: 1 }).open(), 'ports');
    const bus = { attach: () => fail('unsupported', 'no loudspeaker') };
    const opened = openMediaSession({ kernel, entropy, bus, call: 'c1', ports, localAddress: address, media: CLEAR });
    expect(opened).toMatchObject({ ok: false, error: { kind: 'unsupported' } });
    expect(new MediaPortPool(net, { first: 16384, pairs: 1 }).open().ok).toBe(true);
    expect(kernel.pendingTimers()).toEqual([]);
  });
});

describe('what does not come from the peer', () => {
  const stranger = { address: '10.0.0.66', port: 9 };
  const to = { address: '10.0.0.1', port: 16384 };

  it('is not played in clear, and changes nothing', () => {
    const { bench, device, session, of } = call({}, false);
    bench.clock.run(SECOND);
    for (let i = 0; i < 500; i++) bench.inject({ from: stranger, to, bytes: bench.sent.at(-1)!.bytes });
    bench.clock.run(SECOND);
    expect(session.statistics()).toMatchObject({ rejected: 500, lost: 0 });
    expect(shareOf(1000, 16_000, device.speaker)).toBeGreaterThan(0.99);
    expect(of('media.rejected')).toMatchObject([{ call: 'c1', reason: 'source', packets: 1 }]);
    bench.clock.run(10 * SECOND);
    expect(of('media.rejected')).toMatchObject([{ packets: 1 }, { packets: 499 }]);
    bench.clock.run(MINUTE);
    expect(of('media.rejected').length).toBe(2);
  });

  it('is not played with SRTP: forged and replayed, a thousand a second', () => {
    const { bench, device, session, of } = call({}, true);
    bench.clock.run(SECOND);
    const [real] = bench.sent.filter(({ from }) => from.address === '10.0.0.2');
    for (let i = 0; i < 1000; i++) {
      const forged = real!.bytes.slice();
      forged[3]! ^= 1 + (i % 100);
      forged[100]! ^= 1;
      bench.inject({ from: stranger, to, bytes: i % 2 ? forged : real!.bytes });
      bench.clock.run(1_000);
    }
    expect(session.statistics()).toMatchObject({ rejected: 1000, lost: 0 });
    expect(shareOf(1000, 16_000, device.speaker)).toBeGreaterThan(0.99);
    const reasons = of('media.rejected').map(({ reason }) => reason);
    expect(reasons.length).toBeLessThanOrEqual(2);
  });

  it('is counted when it is no RTP, or not what was agreed', () => {
    const { bench, session } = call();
    const from = { address: '10.0.0.2', port: 16384 };
    bench.inject({ from, to, bytes: new Uint8Array(3) });
    bench.inject({ from, to, bytes: new Uint8Array(2000) });
    bench.inject({ from, to, bytes: Uint8Array.of(0x80, 101, ...new Uint8Array(14)) });
    bench.clock.run(10_000);
    expect(session.statistics()).toMatchObject({ packets: 0, rejected: 3 });
  });

  it('moves our own stream only once, to where the peer really sends from', () => {
    const { bench } = call();
    const nat = { address: '10.0.0.2', port: 40_000 };
    bench.filter = ({ from }) => from.address === '10.0.0.1';
    bench.clock.run(30_000);
    const packet = bench.sent.find(({ from }) => from.address === '10.0.0.2')!.bytes;
    bench.inject({ from: nat, to, bytes: packet });
    bench.clock.run(100_000);
    bench.inject({ from: { ...nat, port: 50_000 }, to, bytes: packet });
    bench.clock.run(100_000);
    const targets = bench.sent.filter(({ from }) => from.address === '10.0.0.1').map((datagram) => datagram.to.port);
    expect([targets[0], targets.at(-1)]).toEqual([16384, 40_000]);
  });
});

describe('silence of the peer', () => {
  it('is reported once after five seconds, and its end', () => {
    const { bench, silences, of } = call();
    bench.clock.run(3 * SECOND);
    bench.filter = () => false;
    bench.clock.run(20 * SECOND);
    expect(of('media.silent')).toMatchObject([{ call: 'c1', for: 5 * SECOND }]);
    expect(silences).toEqual([true]);
    bench.filter = () => true;
    bench.clock.run(SECOND);
    expect(of('media.resumed')).toMatchObject([{ call: 'c1', after: 20_020_000 }]);
    expect(silences).toEqual([true, false]);
    bench.filter = () => false;
    bench.clock.run(6 * SECOND);
    expect(silences).toEqual([true, false, true]);
  });

  it('is reported for a peer that never sends', () => {
    const { bench, of, peer } = call();
    peer.close();
    bench.clock.run(6 * SECOND);
    expect(of('media.silent').length).toBe(1);
    expect(of('media.first-packet')).toEqual([]);
  });
});

describe('a new agreement', () => {
  it('of hold stops both ways and the loudspeaker, and resuming starts them, over a rollover of SRTP', () => {
    const { bench, device, caller, session, peer, agree, of } = call({}, true);
    caller.outputs.recorded = false;
    bench.clock.run(2 * SECOND);
    agree(changed({ direction: 'inactive' }, true));
    expect(device.outputs.open).toBe(0);
    const before = bench.sent.filter(({ from }) => from.address === '10.0.0.1').length;
    // The peer sends on: 33,000 packets, from the highest sequence number that a stream begins with past the rollover.
    bench.clock.run(11 * MINUTE);
    expect(bench.sent.filter(({ from }) => from.address === '10.0.0.1').length).toBe(before);
    expect(of('media.silent')).toEqual([]);
    device.speaker.length = 0;
    agree(changed({}, true));
    bench.clock.run(2 * SECOND);
    expect(shareOf(1000, 16_000, device.speaker.slice(4_800))).toBeGreaterThan(0.99);
    expect(session.statistics()).toMatchObject({ lost: 0, rejected: 0 });
    expect(peer.statistics()).toMatchObject({ lost: 0, rejected: 0 });
    expect(of('media.secured').length).toBe(1);
  });

  it('of other keys changes them', () => {
    const { bench, device, session, peer, agree } = call({}, true);
    bench.clock.run(2 * SECOND);
    const fresh: SrtpKey = { suite: 'AEAD_AES_256_GCM', material: new Uint8Array(44).fill(7) };
    const srtp = { suite: fresh.suite, insecureKeys: false, local: fresh, remote: fresh };
    agree(changed({ srtp }));
    expectOk(peer.update({ ...changed({ srtp }), remote: { address: '10.0.0.1', port: 16384 } }), 'rekey');
    bench.clock.run(2 * SECOND);
    // One packet of the old key was under way.
    expect(session.statistics().rejected).toBeLessThanOrEqual(1);
    expect(shareOf(1000, 16_000, device.speaker)).toBeGreaterThan(0.99);
  });

  it('of another place sends there', () => {
    const { bench, agree } = call();
    bench.clock.run(SECOND);
    agree(changed({ remote: { address: '10.0.0.9', port: 4000 } }));
    bench.clock.run(SECOND);
    expect(bench.sent.at(-1)!.from.address === '10.0.0.1' ? bench.sent.at(-1)!.to : bench.sent.at(-2)!.to).toEqual({
      address: '10.0.0.9',
      port: 4000,
    });
  });
});

describe('ports', () => {
  it('are even, taken in turn, skipped where one of the pair is in use, and bounded', () => {
    const { net } = new MediaBench().endpoint('10.0.0.1', 1);
    expectOk(net.udp({ port: 20_003 }), 'a stranger on the second pair');
    const pool = new MediaPortPool(net, { first: 20_000, pairs: 3 });
    const first = expectOk(pool.open(), 'first');
    const second = expectOk(pool.open(), 'second');
    expect([first.rtp.local.port, first.rtcp.local.port, second.rtp.local.port]).toEqual([20_000, 20_001, 20_004]);
    expect(pool.open()).toMatchObject({ ok: false, error: { kind: 'addr-in-use' } });
    second.close();
    first.close();
    expect(expectOk(pool.open(), 'again').rtp.local.port).toBe(20_000);
  });
});
