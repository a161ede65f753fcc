import { describe, expect, it } from 'vitest';
import type { SrtpSuite } from '../../core/media/srtp-suites.js';
import type { LocalMedia, NegotiatedMedia } from '../../core/sdp/negotiated.js';
import { answerOffer, makeOffer, readAnswer } from '../../core/sdp/offer-answer.js';
import { parseSession } from '../../core/sdp/session.codec.js';
import type { SrtpMode } from '../../core/sdp/srtp.policy.js';
import { fromUtf8, hex, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { fuzz } from '../support/mutation.js';

const SUITE = 'AES_CM_128_HMAC_SHA1_80';
const KEY = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR';
const CRYPTO = `a=crypto:1 ${SUITE} inline:${KEY}`;

function local(mode: SrtpMode = 'disabled', more: Partial<LocalMedia> = {}): LocalMedia {
  let n = 0;
  return {
    address: '10.0.0.1',
    port: 16384,
    codecs: ['PCMU', 'PCMA'],
    srtp: { mode, suites: [SUITE], insecure: 'warn' },
    secureSignalling: true,
    session: { id: 77, version: 1 },
    entropy: { fill: (out) => void out.fill(++n) },
    ...more,
  };
}

/** An offer of `m=` sections, each given by its lines. */
const offer = (...sections: string[][]): Uint8Array =>
  utf8(`${['v=0', 'o=- 1 2 IN IP4 10.0.0.2', 's=-', 'c=IN IP4 10.0.0.2', 't=0 0', ...sections.flat()].join('\r\n')}\r\n`);
const audio = (profile: string, ...lines: string[]): string[] => [`m=audio 4000 ${profile} 0 8 101`, ...lines];

const answered = (body: Uint8Array, from: LocalMedia): { text: string; media: NegotiatedMedia } => {
  const result = answerOffer(body, from);
  if (!result.ok) throw new Error(`${result.status} ${result.warning.text}`);
  return { text: fromUtf8(result.answer), media: result.media };
};

describe('the SRTP matrix of the answerer', () => {
  const offers: Record<string, Uint8Array> = {
    AVP: offer(audio('RTP/AVP')),
    'AVP + crypto': offer(audio('RTP/AVP', CRYPTO)),
    'AVP + unknown suite': offer(audio('RTP/AVP', CRYPTO.replace('AES_CM', 'F8'))),
    'SAVP + crypto': offer(audio('RTP/SAVP', CRYPTO)),
    'SAVP + unknown suite': offer(audio('RTP/SAVP', CRYPTO.replace('AES_CM', 'F8'))),
    SAVP: offer(audio('RTP/SAVP')),
    'SAVP + short key': offer(audio('RTP/SAVP', CRYPTO.slice(0, -2))),
    'AVPF + crypto': offer(audio('RTP/AVPF', CRYPTO)),
    'SAVPF + crypto': offer(audio('RTP/SAVPF', CRYPTO)),
    'DTLS-SRTP': offer(audio('UDP/TLS/RTP/SAVP', 'a=fingerprint:sha-256 00')),
    'AVP, then SAVP + crypto': offer(audio('RTP/AVP'), audio('RTP/SAVP', CRYPTO)),
    'SAVP + crypto, then AVP': offer(audio('RTP/SAVP', CRYPTO), audio('RTP/AVP')),
  };
  it.each([
    // offer                      disabled  optional  standard
    ['AVP', 'clear', 'clear', 302],
    ['AVP + crypto', 'clear', 'srtp', 'srtp'],
    ['AVP + unknown suite', 'clear', 'clear', 306],
    ['SAVP + crypto', 302, 'srtp', 'srtp'],
    ['SAVP + unknown suite', 302, 306, 306],
    ['SAVP', 302, 302, 302],
    ['SAVP + short key', 302, 302, 302],
    ['AVPF + crypto', 'clear', 'srtp', 'srtp'],
    ['SAVPF + crypto', 302, 'srtp', 'srtp'],
    ['DTLS-SRTP', 302, 302, 302],
    ['AVP, then SAVP + crypto', 'clear', 'srtp', 'srtp'],
    ['SAVP + crypto, then AVP', 'clear', 'srtp', 'srtp'],
  ] as const)('%s', (name, ...expected) => {
    const modes: SrtpMode[] = ['disabled', 'optional', 'standard'];
    for (const [i, mode] of modes.entries()) {
      const result = answerOffer(offers[name]!, local(mode));
      const outcome = result.ok ? (result.media.srtp ? 'srtp' : 'clear') : result.warning.code;
      expect([mode, outcome]).toEqual([mode, expected[i]]);
      if (!result.ok) {
        expect(result.status).toBe(488);
        continue;
      }
      // A key is answered exactly where the audio is encrypted, and the profile is the offer's.
      const text = fromUtf8(result.answer);
      expect(text.includes('a=crypto:1 ')).toBe(outcome === 'srtp');
      expect(text.match(/m=audio 16384 (\S+)/)![1]).toMatch(outcome === 'clear' ? /^RTP\/AVPF?$/ : /^RTP\/S?AVPF?$/);
    }
  });

  it('names the keys of both directions, and only ours is in the answer', () => {
    const { text, media } = answered(offers['SAVP + crypto']!, local('standard'));
    expect(hex(media.srtp!.remote.material)).toBe(Buffer.from(KEY, 'base64').toString('hex'));
    expect(text).toContain(`a=crypto:1 ${SUITE} inline:${Buffer.from(media.srtp!.local.material).toString('base64')}`);
    expect(text).not.toContain(KEY);
    expect(media.srtp!.insecureKeys).toBe(false);
  });

  it('takes the first line of the offer that it can, under its tag and name', () => {
    const big = Buffer.alloc(46, 1).toString('base64');
    const body = offer(
      audio(
        'RTP/SAVP',
        `a=crypto:1 F8_128_HMAC_SHA1_80 inline:${KEY}`,
        `a=crypto:5 AES_CM_256_HMAC_SHA1_32 inline:${big}`,
        CRYPTO.replace(':1 ', ':9 '),
      ),
    );
    const suites: SrtpSuite[] = [SUITE, 'AES_256_CM_HMAC_SHA1_32'];
    const { text, media } = answered(body, local('standard', { srtp: { mode: 'standard', suites, insecure: 'warn' } }));
    expect(media.srtp!.suite).toBe('AES_256_CM_HMAC_SHA1_32');
    expect(text).toContain('a=crypto:5 AES_CM_256_HMAC_SHA1_32 inline:');
    expect(answered(body, local('standard')).text).toContain('a=crypto:9 ');
  });

  it('warns of keys over unencrypted signalling, or refuses them as set', () => {
    const body = offer(audio('RTP/AVP', CRYPTO));
    expect(answered(body, local('optional', { secureSignalling: false })).media.srtp!.insecureKeys).toBe(true);
    const refusing = (mode: SrtpMode) => local(mode, { secureSignalling: false, srtp: { mode, suites: [SUITE], insecure: 'refuse' } });
    expect(answered(body, refusing('optional')).media.srtp).toBeUndefined();
    expect(answerOffer(body, refusing('standard'))).toMatchObject({ ok: false, status: 488, warning: { code: 399 } });
  });
});

describe('an answer', () => {
  it('has as many media as the offer, the others refused', () => {
    const video = ['m=video 4002 RTP/AVP 96', 'a=rtpmap:96 H264/90000'];
    const { text } = answered(offer(video, audio('RTP/AVP'), ['m=image 4004 udptl t38']), local());
    expect(text).toBe(
      `${[
        'v=0',
        'o=- 77 1 IN IP4 10.0.0.1',
        's=-',
        'c=IN IP4 10.0.0.1',
        't=0 0',
        'm=video 0 RTP/AVP 96',
        'm=audio 16384 RTP/AVP 0',
        'a=rtpmap:0 PCMU/8000',
        'a=ptime:20',
        'a=sendrecv',
        'm=image 0 udptl t38',
      ].join('\r\n')}\r\n`,
    );
  });

  it.each([
    ['the first codec of the offer', 'm=audio 4000 RTP/AVP 9 8 0', [], 'PCMA', 8],
    ['a dynamic payload type', 'm=audio 4000 RTP/AVP 98 97', ['a=rtpmap:98 opus/48000/2', 'a=rtpmap:97 pcma/8000/1'], 'PCMA', 97],
    ['the map and not the static number', 'm=audio 4000 RTP/AVP 0 8', ['a=rtpmap:0 G722/8000'], 'PCMA', 8],
  ] as const)('takes %s', (_what, m, lines, codec, payloadType) => {
    const { text, media } = answered(offer([m, ...lines]), local());
    expect(media).toMatchObject({ codec, payloadType });
    expect(text).toContain(`m=audio 16384 RTP/AVP ${payloadType}\r\na=rtpmap:${payloadType} ${codec}/8000\r\n`);
  });

  it.each([
    ['', 'sendrecv', 'sendrecv'],
    ['a=sendrecv', 'sendrecv', 'sendrecv'],
    ['a=sendonly', 'sendrecv', 'recvonly'],
    ['a=recvonly', 'sendrecv', 'sendonly'],
    ['a=inactive', 'sendrecv', 'inactive'],
    ['a=sendrecv', 'recvonly', 'recvonly'],
    ['a=recvonly', 'recvonly', 'inactive'],
    ['c=IN IP4 0.0.0.0', 'sendrecv', 'recvonly'],
  ] as const)('mirrors %s, where we want %s, as %s', (line, wanted, direction) => {
    const { text, media } = answered(offer(audio('RTP/AVP', line)), local('disabled', { direction: wanted }));
    expect(media.direction).toBe(direction);
    expect(text).toContain(`a=${direction}\r\n`);
  });

  it('obeys a direction of the session', () => {
    expect(answered(utf8(fromUtf8(offer(audio('RTP/AVP'))).replace('t=0 0', 't=0 0\r\na=sendonly')), local()).media.direction).toBe(
      'recvonly',
    );
  });

  it('keeps our key over a hold, and takes a new one of the peer', () => {
    const first = answered(offer(audio('RTP/SAVP', CRYPTO)), local('standard')).media;
    const again = answered(offer(audio('RTP/SAVP', CRYPTO, 'a=sendonly')), local('standard', { previous: first })).media;
    expect(again.srtp!.local).toBe(first.srtp!.local);
    const rekeyed = answered(offer(audio('RTP/SAVP', CRYPTO.replace('PS1u', 'QQQQ'))), local('standard', { previous: first })).media;
    expect(rekeyed.srtp!.remote.material).not.toEqual(first.srtp!.remote.material);
  });

  it.each([
    ['no audio', offer(['m=video 4002 RTP/AVP 96']), 304],
    ['nothing', offer(), 304],
    ['audio on hold by port 0', offer(['m=audio 0 RTP/AVP 0']), 304],
    ['no codec in common', offer(['m=audio 4000 RTP/AVP 18', 'a=rtpmap:18 G729/8000']), 305],
    ['IPv6 only', offer(audio('RTP/AVP', 'c=IN IP6 2001:db8::1')), 301],
  ] as const)('is refused for %s', (_what, body, code) => {
    expect(answerOffer(body, local())).toMatchObject({ ok: false, status: 488, warning: { code } });
  });

  it('is a 400 for what is no session description', () => {
    expect(answerOffer(utf8('hello'), local())).toMatchObject({ ok: false, status: 400, warning: { code: 399 } });
  });

  it('to an IPv6 offer from an IPv6 address is IPv6', () => {
    const { text, media } = answered(offer(audio('RTP/AVP', 'c=IN IP6 2001:db8::1')), local('disabled', { address: '2001:db8::2' }));
    expect(text).toContain('c=IN IP6 2001:db8::2\r\n');
    expect(media.remote).toEqual({ address: '2001:db8::1', port: 4000 });
  });
});

describe('an offer of ours and its answer', () => {
  /** Both ends by our own code: what they agree on, or where it fails. */
  const agree = (caller: SrtpMode, callee: SrtpMode): string => {
    const made = expectOk(makeOffer(local(caller, { address: '10.0.0.2', port: 4000 })), 'offer');
    const answer = answerOffer(made.offer, local(callee));
    if (!answer.ok) return 'refused';
    const read = readAnswer(made, answer.answer);
    if (!read.ok) return 'ended';
    const ours = read.value.srtp;
    const theirs = answer.media.srtp;
    expect(ours && hex(ours.local.material)).toBe(theirs && hex(theirs.remote.material));
    expect(ours && hex(ours.remote.material)).toBe(theirs && hex(theirs.local.material));
    expect(read.value.remote).toEqual({ address: '10.0.0.1', port: 16384 });
    return ours ? 'srtp' : 'clear';
  };

  it.each([
    ['disabled', 'clear', 'clear', 'refused'],
    ['optional', 'clear', 'srtp', 'srtp'],
    ['standard', 'refused', 'srtp', 'srtp'],
  ] as const)('%s', (caller, ...outcomes) => {
    expect((['disabled', 'optional', 'standard'] as const).map((callee) => agree(caller, callee))).toEqual(outcomes);
  });

  it('has every suite under its own tag and key', () => {
    const suites: SrtpSuite[] = ['AEAD_AES_256_GCM', SUITE];
    const made = expectOk(makeOffer(local('optional', { srtp: { mode: 'optional', suites, insecure: 'warn' } })), 'offer');
    const [media] = expectOk(parseSession(made.offer), 'parse').media;
    expect(media).toMatchObject({ port: 16384, protocol: 'RTP/AVP', formats: ['0', '8'] });
    expect(media!.lines.map(({ value }) => value.split(' inline')[0])).toEqual([
      'rtpmap:0 PCMU/8000',
      'rtpmap:8 PCMA/8000',
      'crypto:1 AEAD_AES_256_GCM',
      `crypto:2 ${SUITE}`,
      'ptime:20',
      'sendrecv',
    ]);
    expect(hex(made.keys.get(1)!.material)).not.toContain(hex(made.keys.get(2)!.material));
  });

  it('has no keys over unencrypted signalling where they are refused', () => {
    const refusing = (mode: SrtpMode) => local(mode, { secureSignalling: false, srtp: { mode, suites: [SUITE], insecure: 'refuse' } });
    expect(fromUtf8(expectOk(makeOffer(refusing('optional')), 'offer').offer)).not.toContain('crypto');
    expect(makeOffer(refusing('standard'))).toMatchObject({ ok: false, error: { code: 399 } });
  });

  it.each([
    ['another tag', `a=crypto:2 ${SUITE} inline:${KEY}`],
    ['another suite', `a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${KEY}`],
    ['no key', ''],
  ])('is ended where encryption was demanded and the answer has %s', (_what, line) => {
    const made = expectOk(makeOffer(local('standard')), 'offer');
    const answer = offer(['m=audio 4000 RTP/SAVP 0', line]);
    expect(readAnswer(made, answer)).toMatchObject({ ok: false });
  });

  it.each([
    ['refuses the audio', offer(['m=audio 0 RTP/AVP 0']), 304],
    ['has no media', offer(), 304],
    ['is none', utf8('x'), 399],
  ] as const)('is ended where the answer %s', (_what, answer, code) => {
    expect(readAnswer(expectOk(makeOffer(local()), 'offer'), answer)).toMatchObject({ ok: false, error: { code } });
  });
});

it('is total: 20,000 mutated offers, and every answer is an answer', () => {
  const made = expectOk(makeOffer(local('optional')), 'offer');
  const samples = [offer(audio('RTP/AVP', CRYPTO)), offer(audio('RTP/SAVP', CRYPTO), ['m=video 4002 RTP/AVP 96'])];
  fuzz(samples, 20_000, (input) => {
    readAnswer(made, input);
    const result = answerOffer(input, local('optional'));
    if (!result.ok) return;
    const asked = expectOk(parseSession(input), 'offer').media.length;
    expect(expectOk(parseSession(result.answer), 'answer').media.length).toBe(asked);
  });
});
