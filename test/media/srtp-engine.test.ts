import { createCipheriv, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aesCounterXor, expandAesKey } from '../../core/media/aes.js';
import { HmacSha1 } from '../../core/media/sha1.js';
import { SRTP_MAX_OVERHEAD, SrtpReceiver, SrtpSender } from '../../core/media/srtp.engine.js';
import { SRTP_SUITES, type SrtpKey, type SrtpSuite, srtpSuiteNamed } from '../../core/media/srtp-suites.js';
import { putU16, putU32, u32 } from '../../hal/base/bytes.js';
import { fuzz, randomFrom } from '../support/mutation.js';

const SUITES = Object.keys(SRTP_SUITES) as SrtpSuite[];
const SUITE = 'AES_CM_128_HMAC_SHA1_80';

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + 1) & 255);

function keyFor(suite: SrtpSuite, more: Partial<SrtpKey> = {}): SrtpKey {
  return { suite, material: counting(SRTP_SUITES[suite].key + SRTP_SUITES[suite].salt), ...more };
}

function rtp(sequence: number, ssrc = 0xcafebabe, payload = counting(160)): Uint8Array {
  const packet = new Uint8Array(12 + payload.length + SRTP_MAX_OVERHEAD);
  packet[0] = 0x80;
  putU16(packet, 2, sequence);
  putU32(packet, 8, ssrc);
  packet.set(payload, 12);
  return packet;
}

/** The packet as it would be on the wire. */
function sealed(sender: SrtpSender, sequence: number, ssrc?: number): Uint8Array {
  const packet = rtp(sequence, ssrc);
  return packet.slice(0, sender.protect(packet, 172));
}

/** Undefined where it was opened, otherwise the reason. */
function refused(receiver: SrtpReceiver, packet: Uint8Array): string | undefined {
  const copy = packet.slice();
  return receiver.unprotect(copy, copy.length) > 0 ? undefined : receiver.rejection;
}

describe('primitives', () => {
  it.each([16, 32])('AES with %i octets agrees with OpenSSL at every length', (octets) => {
    const key = counting(octets);
    const counter = counting(16);
    for (let length = 0; length < 70; length++) {
      const expected = createCipheriv(`aes-${octets * 8}-ctr`, key, counter).update(new Uint8Array(length));
      const out = new Uint8Array(length);
      aesCounterXor(expandAesKey(key), u32(counter, 0), u32(counter, 4), u32(counter, 8), u32(counter, 12), out, 0, length);
      expect(out).toEqual(new Uint8Array(expected));
    }
  });

  it('HMAC-SHA-1 agrees with OpenSSL at every length', () => {
    const hmac = new HmacSha1(counting(20));
    for (let length = 0; length < 200; length++) {
      const message = counting(length + 4);
      hmac.update(message, length, u32(message, length) | 0);
      const expected = createHmac('sha1', counting(20)).update(message).digest();
      expect([...hmac.words].map((word) => word >>> 0)).toEqual([0, 4, 8, 12, 16].map((at) => expected.readUInt32BE(at)));
    }
  });
});

describe.each(SUITES)('%s', (suite) => {
  it('opens what it protected, and nothing of it is left in clear', () => {
    const packet = sealed(new SrtpSender(keyFor(suite)), 1);
    expect(packet.length).toBe(172 + SRTP_SUITES[suite].tag);
    expect(packet.subarray(12, 172)).not.toEqual(counting(160));
    const length = new SrtpReceiver(keyFor(suite)).unprotect(packet, packet.length);
    expect(packet.subarray(0, length)).toEqual(rtp(1).subarray(0, 172));
  });

  it('refuses every single changed octet, and leaves the packet as it was', () => {
    const packet = sealed(new SrtpSender(keyFor(suite)), 1);
    for (let at = 0; at < packet.length; at++) {
      const forged = packet.slice();
      forged[at]! ^= 0x01;
      const given = forged.slice();
      expect(new SrtpReceiver(keyFor(suite)).unprotect(given, given.length)).toBe(0);
      expect(given).toEqual(forged);
    }
  });

  it('passes over a master key identifier', () => {
    const packet = sealed(new SrtpSender(keyFor(suite)), 1);
    const { cipher, tag } = SRTP_SUITES[suite];
    // RFC 3711 3.1: before the tag; RFC 7714 5.2: behind it.
    const at = cipher === 'gcm' ? packet.length : packet.length - tag;
    const withMki = Uint8Array.of(...packet.subarray(0, at), 0, 0, 0, 1, ...packet.subarray(at));
    expect(refused(new SrtpReceiver(keyFor(suite, { mkiLength: 4 })), withMki)).toBeUndefined();
    expect(refused(new SrtpReceiver(keyFor(suite)), withMki)).toBe('forged');
  });

  it('leaves CSRC list and extension in clear', () => {
    const packet = rtp(1);
    packet[0] = 0x80 | 0x10 | 2;
    packet.set([0xbe, 0xde, 0, 1], 12 + 8);
    const head = packet.slice(0, 12 + 8 + 4 + 4);
    const length = new SrtpSender(keyFor(suite)).protect(packet, 172);
    expect(packet.subarray(0, head.length)).toEqual(head);
    expect(new SrtpReceiver(keyFor(suite)).unprotect(packet, length)).toBe(172);
  });
});

describe('packet index', () => {
  it('crosses the rollover of sequence numbers, in and out of order', () => {
    const sender = new SrtpSender(keyFor(SUITE));
    const receiver = new SrtpReceiver(keyFor(SUITE));
    const packets = [65533, 65534, 65535, 0, 1, 2].map((sequence) => sealed(sender, sequence));
    for (const i of [0, 3, 1, 5, 2, 4]) expect(refused(receiver, packets[i]!)).toBeUndefined();
    for (const packet of packets) expect(refused(receiver, packet)).toBe('replayed');
  });

  it('counts three rollovers with a third of the packets lost', () => {
    const sender = new SrtpSender(keyFor(SUITE));
    const receiver = new SrtpReceiver(keyFor(SUITE));
    const random = randomFrom(1);
    for (let i = 0; i < 3 * 65536; i++) {
      const packet = rtp(i & 0xffff, 1, counting(1));
      const length = sender.protect(packet, 13);
      if (random(3) > 0) expect(receiver.unprotect(packet, length)).toBe(13);
    }
  });

  it('takes each packet once, within the window and behind it', () => {
    const sender = new SrtpSender(keyFor(SUITE));
    const receiver = new SrtpReceiver(keyFor(SUITE));
    const packets = Array.from({ length: 300 }, (_, i) => sealed(sender, 1000 + i));
    expect(refused(receiver, packets[200]!)).toBeUndefined();
    expect(refused(receiver, packets[200 - 127]!)).toBeUndefined();
    expect(refused(receiver, packets[200 - 127]!)).toBe('replayed');
    expect(refused(receiver, packets[200 - 128]!)).toBe('replayed');
    // The window moves on, and what it passes over is still new once.
    expect(refused(receiver, packets[299]!)).toBeUndefined();
    expect(refused(receiver, packets[201]!)).toBeUndefined();
    expect(refused(receiver, packets[201]!)).toBe('replayed');
  });

  it('does not move for a forged packet', () => {
    const sender = new SrtpSender(keyFor(SUITE));
    const receiver = new SrtpReceiver(keyFor(SUITE));
    expect(refused(receiver, sealed(sender, 10))).toBeUndefined();
    const forged = sealed(sender, 30_000);
    forged[20]! ^= 1;
    expect(refused(receiver, forged)).toBe('forged');
    expect(refused(receiver, sealed(new SrtpSender(keyFor(SUITE)), 11))).toBeUndefined();
  });

  it('keeps an index for each SSRC, and a bound on their number', () => {
    const receiver = new SrtpReceiver(keyFor(SUITE));
    for (let ssrc = 1; ssrc <= 16; ssrc++) expect(refused(receiver, sealed(new SrtpSender(keyFor(SUITE)), 7, ssrc))).toBeUndefined();
    expect(refused(receiver, sealed(new SrtpSender(keyFor(SUITE)), 7, 17))).toBe('too-many-streams');
    expect(refused(receiver, sealed(new SrtpSender(keyFor(SUITE)), 8, 3))).toBeUndefined();
  });
});

it('stops when the key is worn out, at both ends', () => {
  const worn = keyFor(SUITE, { lifetime: 2 });
  const sender = new SrtpSender(worn);
  expect([1, 2, 3].map((sequence) => sealed(sender, sequence).length)).toEqual([182, 182, 0]);
  const receiver = new SrtpReceiver(worn);
  const fresh = new SrtpSender(keyFor(SUITE));
  expect([1, 2, 3].map((sequence) => refused(receiver, sealed(fresh, sequence)))).toEqual([undefined, undefined, 'worn-out']);
});

it('knows suites by IANA names, by the draft names, and as settings write them', () => {
  expect(srtpSuiteNamed('AES_CM_256_HMAC_SHA1_80')).toBe('AES_256_CM_HMAC_SHA1_80');
  expect(srtpSuiteNamed('aes_cm_128_hmac_sha1_80')).toBe('AES_CM_128_HMAC_SHA1_80');
  expect(srtpSuiteNamed('F8_128_HMAC_SHA1_80')).toBeUndefined();
  expect(srtpSuiteNamed('constructor')).toBeUndefined();
});

it('is total: 50,000 mutated packets', () => {
  const receivers = SUITES.map((suite) => new SrtpReceiver(keyFor(suite, { mkiLength: 4 })));
  fuzz([sealed(new SrtpSender(keyFor(SUITE)), 1), Uint8Array.of(), Uint8Array.of(0x9f, 0)], 50_000, (input) => {
    for (const receiver of receivers) receiver.unprotect(input, input.length);
  });
});
