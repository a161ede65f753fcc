import { describe, expect, it } from 'vitest';
import { encodeG711 } from '../../core/media/g711.codec.js';
import { writeRtpHeader } from '../../core/media/rtp.codec.js';
import { TCP_FLAG, tcpFrame, udpFrame } from '../../hal/layers/frame.codec.js';
import { DhcpOption, encodeDhcp, encodeDns } from '../../hal/stack/index.js';
import { LadderBuilder } from '../../sim/artefacts/ladder-builder.js';
import { ladderText } from '../../sim/artefacts/ladder-text.js';
import { masked } from '../../sim/artefacts/mask.js';
import { MessageCutter, summary } from '../../sim/artefacts/messages.js';
import { renderReport } from '../../sim/artefacts/report.js';
import { withoutKey } from '../../sim/artefacts/rtp-streams.js';
import { toneShare } from '../../sim/artefacts/sound.js';
import { Timeline, type TimelineEvent } from '../../sim/artefacts/timeline.js';
import { encodeWav } from '../../sim/artefacts/wav.codec.js';

const PASSWORD = 'amber-kettle-31';
const KEY = 'WbTBosdVUZqEb6Htqhn+m3z7wUh4RJVR8nE15GbN';
const LOBBY = { mac: '0022EE0A0001', address: '10.0.0.100' };
const server = (place: number) => ({ mac: `02000000000${place}`, address: `10.0.0.${place}` });
const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

const sdp = (address: string, port: number): string =>
  `v=0\r\nc=IN IP4 ${address}\r\nm=audio ${port} RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}\r\n`;
const message = (head: string, body: string): string => `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const INVITE = message('INVITE sip:101@10.0.0.100 SIP/2.0\r\nCSeq: 1 INVITE', sdp('10.0.0.7', 20_000));
const OK = message('SIP/2.0 200 OK\r\nCSeq: 1 INVITE', sdp('10.0.0.100', 16_384));
const REGISTER = `REGISTER sip:a SIP/2.0\r\nCSeq: 2 REGISTER\r\nAuthorization: Digest username="101", response="0123456789abcdef"\r\n\r\n`;
const CONF = message('HTTP/1.1 200 OK', `sip.u1.user = 101\nsip.u1.pwd = ${'x'.repeat(8)}\n`);

function dhcp(type: 'discover' | 'offer'): Uint8Array {
  const [none, options] = ['0.0.0.0', new Map(type === 'offer' ? [[DhcpOption.tftpServer, octets('https://prov.example.test/')]] : [])];
  const rest = {
    transaction: 1,
    seconds: 0,
    broadcast: true,
    clientAddress: none,
    serverAddress: none,
    relayAddress: none,
    clientMac: LOBBY.mac,
  };
  return encodeDhcp({
    op: type === 'offer' ? 'reply' : 'request',
    type,
    yourAddress: type === 'offer' ? LOBBY.address : none,
    options,
    ...rest,
  });
}

function rtp(sequence: number, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(12 + payload.length);
  writeRtpHeader(packet, { marker: false, payloadType: 0, sequence, timestamp: 160 * sequence, ssrc: 7 });
  packet.set(payload, 12);
  return packet;
}

function builder(): LadderBuilder {
  const hosts = [
    { name: 'lobby', mac: LOBBY.mac, captured: true },
    ...['dhcp', 'dns', 'prov', 'sip', 'desk'].map((name, i) => ({ name, mac: server(i + 3).mac, captured: false })),
  ];
  return new LadderBuilder({ hosts, dhcpServer: 'dhcp', passwords: [PASSWORD] });
}

function filled(): LadderBuilder {
  const ladder = builder();
  const broadcast = { mac: 'FFFFFFFFFFFF', address: '255.255.255.255' };
  const udp = (from: object, to: object, ports: [number, number], payload: Uint8Array): Uint8Array =>
    udpFrame({ ...(from as typeof LOBBY), port: ports[0] }, { ...(to as typeof LOBBY), port: ports[1] }, payload)!;
  ladder.event('lobby', {
    t: 1,
    at: 1,
    device: LOBBY.mac,
    event: 'boot.ready',
    fields: { board: '8180-g2', firmware: '5.5', reason: 'power' },
  });
  ladder.frame(10_000, 'lobby', 'out', udp({ ...LOBBY, address: '0.0.0.0' }, broadcast, [68, 67], dhcp('discover')));
  ladder.frame(12_000, 'lobby', 'in', udp(server(3), broadcast, [67, 68], dhcp('offer')));
  const question = { name: 'prov.example.test', type: 1 };
  const flags = { authoritative: true, truncated: false, recursionDesired: true, recursionAvailable: true, rcode: 0 };
  const answer = { name: question.name, ttl: 60, type: 'A' as const, value: '10.0.0.5' };
  ladder.frame(
    20_000,
    'lobby',
    'out',
    udp(LOBBY, server(4), [40_000, 53], encodeDns({ id: 1, response: false, questions: [question], answers: [], ...flags })!),
  );
  ladder.frame(
    22_000,
    'lobby',
    'in',
    udp(server(4), LOBBY, [53, 40_000], encodeDns({ id: 1, response: true, questions: [question], answers: [answer], ...flags })!),
  );
  const alert = tcpFrame(
    { ...server(5), port: 443 },
    { ...LOBBY, port: 40_001 },
    { sequence: 1, acknowledgement: 1, flags: TCP_FLAG.ack },
    Uint8Array.of(21, 3, 3, 0, 2, 2, 48),
  )!;
  ladder.frame(30_000, 'lobby', 'in', alert);
  // A retransmission is told once.
  ladder.frame(31_000, 'lobby', 'in', alert);
  ladder.clear(40_000, 'c1', 'lobby', 'prov', octets('GET /algom0022EE0A0001.conf HTTP/1.1\r\nHost: x\r\n\r\n'));
  ladder.clear(41_000, 'c1', 'prov', 'lobby', octets(CONF));
  ladder.clear(50_000, 'c2', 'lobby', 'sip', octets(REGISTER));
  ladder.frame(60_000, 'lobby', 'in', udp(server(6), LOBBY, [5060, 5060], octets(INVITE)));
  ladder.frame(61_000, 'lobby', 'out', udp(LOBBY, server(6), [5060, 5060], octets(OK)));
  for (let i = 0; i < 50; i++)
    ladder.frame(70_000 + 20_000 * i, 'lobby', 'in', udp(server(7), LOBBY, [20_000, 16_384], rtp(i, new Uint8Array(170).fill(i))));
  const fields = {
    service: 'sip',
    peer: 'x',
    by: 'us',
    rule: 'expired',
    subject: 'CN=<b>old</b>',
    clock: '2026',
    detail: PASSWORD,
    mend: 'renew',
  };
  ladder.event('lobby', { t: 2_000_000, at: 1, device: LOBBY.mac, event: 'tls.refused', fields });
  return ladder;
}

describe('the ladder', () => {
  it('tells who said what to whom, with keys and passwords masked', () => {
    expect(ladderText(filled().build(), { width: 110 })).toMatchInlineSnapshot(`
      "          lobby             dns               sip
                         dhcp              prov              desk
         0.000  ●        │        │        │        │        │  boot.ready: board 8180-g2, firmware 5.5, reason pow…
         0.010  │───────▶│        │        │        │        │  DHCP discover
         0.012  │◀───────│        │        │        │        │  DHCP offer 10.0.0.100
         0.020  │────────────────▶│        │        │        │  DNS A prov.example.test?
         0.022  │◀────────────────│        │        │        │  DNS A 10.0.0.5
         0.030  │◀─────────────────────────│        │        │  TLS alert unknown_ca
         0.040  │─────────────────────────▶│        │        │  HTTP GET /algom0022EE0A0001.conf
         0.041  │◀─────────────────────────│        │        │  HTTP 200 OK
         0.050  │──────────────────────────────────▶│        │  SIP REGISTER sip:a
         0.060  │◀──────────────────────────────────│        │  SIP INVITE sip:101@10.0.0.100 + SDP RTP/SAVP with k…
         0.061  │──────────────────────────────────▶│        │  SIP 200 OK (INVITE) + SDP RTP/SAVP with keys
         0.070  │◀───────────────────────────────────────────│  RTP 50 packets of PCMU in 1.0 s, encrypted (SRTP)
         2.000  ●        │        │        │        │        │  tls.refused: service sip, by us, rule expired, subj…
      "
    `);
  });

  it('shows a message in full in its details, masked', () => {
    const details = filled()
      .build()
      .rows.map(({ detail }) => detail)
      .join('\n');
    expect(details).toContain('inline:…');
    expect(details).toContain('response=…');
    expect(details).toContain('sip.u1.pwd = …');
    for (const hidden of [KEY, PASSWORD, '0123456789abcdef', 'x'.repeat(8)]) expect(details).not.toContain(hidden);
  });

  it.each([60, 80, 132])('fits %d columns, also in ASCII', (width) => {
    for (const ascii of [false, true]) {
      const lines = ladderText(filled().build(), { width, ascii }).split('\n');
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      if (ascii) expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/);
    }
  });

  it('leaves out hosts that say nothing', () => {
    const ladder = builder();
    ladder.event('sip', { t: 0, at: 0, device: 'sip', event: 'server.registered', fields: {} });
    expect(ladder.build().hosts).toEqual(['sip']);
  });
});

describe('messages', () => {
  const stream = `${INVITE}\r\n\r\n${CONF}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n${REGISTER}`;

  it.each([1, 2, 7, 50, 5000])('come out the same in pieces of %d octets', (size) => {
    const cutter = new MessageCutter();
    const messages: string[] = [];
    for (let i = 0; i < stream.length; i += size) messages.push(...cutter.push(octets(stream.slice(i, i + size))));
    expect(messages.map((message) => summary(message).label)).toEqual([
      'INVITE sip:101@10.0.0.100 + SDP RTP/SAVP with keys',
      '200 OK',
      '200 OK',
      'REGISTER sip:a',
    ]);
  });

  it('that nobody can follow are shown as they came, in pieces', () => {
    const cutter = new MessageCutter();
    expect(cutter.push(new Uint8Array(70_000).fill(65)).length).toBe(1);
  });

  it('of refusal are told from challenges', () => {
    expect(summary('SIP/2.0 401 Unauthorized\r\nCSeq: 1 REGISTER\r\n\r\n')).toEqual({
      protocol: 'SIP',
      label: '401 Unauthorized (REGISTER)',
      bad: false,
    });
    expect(summary('SIP/2.0 488 Not Acceptable Here\r\nCSeq: 1 INVITE\r\n\r\n').bad).toBe(true);
  });
});

it('masks credentials in every form that they come in', () => {
  expect(masked('Authorization: Basic YWxnbzphbGdv')).toBe('Authorization: Basic …');
  expect(masked('admin.pwd = algo\nsip.u1.user = 101')).toBe('admin.pwd = …\nsip.u1.user = 101');
  expect(masked(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4`)).toBe('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…|2^20|1:4');
  expect(masked(`the word is ${PASSWORD}.`, [PASSWORD])).toBe('the word is ….');
});

describe('the report', () => {
  const event: TimelineEvent = {
    t: 5,
    at: 5,
    device: LOBBY.mac,
    event: 'tls.refused',
    fields: { service: 'sip', by: 'us', rule: 'expired', subject: '<script>alert(1)</script>' },
  };
  const tone = Int16Array.from({ length: 16_000 }, (_, i) => Math.round(9000 * Math.sin(i / 3)));
  const page = renderReport({
    name: 'secure page',
    about: 'about',
    seed: 7,
    start: Date.UTC(2026, 0, 1),
    verdicts: [{ ok: false, expected: 'call.established', seen: 'it never happened' }],
    devices: new Map([[LOBBY.mac, 'lobby']]),
    events: [event],
    ladder: filled().build(),
    pages: [{ device: 'lobby', heard: { samples: tone, rate: 16_000 }, onTheWire: { samples: tone, rate: 8_000 }, encrypted: true }],
    links: [],
    settings: [],
    plots: [],
    watched: 1,
    capture: { file: 'capture.pcapng', packets: 3, withKeys: true },
  });

  it('holds no key and no password, and nothing of it is fetched', () => {
    for (const hidden of [KEY, PASSWORD, '0123456789abcdef']) expect(page).not.toContain(hidden);
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    expect(page).not.toContain('url(http');
  });
  it('shows strangers’ text as text', () => {
    expect(page).not.toContain('<script>alert');
    expect(page).not.toContain('<b>old');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });
  it('says what failed, and has a player for each sound', () => {
    expect(page).toContain('<title>Failed: secure page · Belfry</title>');
    expect(page.match(/<audio /g)?.length).toBe(2);
  });
});

it('the timeline is sorted by time, keeps the order of an instant, and has its fields in order', () => {
  const timeline = new Timeline();
  const add = (t: number, event: string) => timeline.add({ t, at: t - 1, device: 'x', event, fields: { b: 1, a: [2] } });
  add(5, 'second');
  add(3, 'first');
  add(5, 'third');
  const lines = timeline.jsonLines().trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['first', 'second', 'third']);
  expect(lines[0]).toBe('{"at":2,"t":3,"device":"x","event":"first","b":1,"a":[2]}');
});

it('packets without a key are the speech itself in clear, and noise when encrypted', () => {
  const ladder = builder();
  const pcm = new Int16Array(160);
  for (let n = 0; n < 100; n++) {
    for (let i = 0; i < 160; i++) pcm[i] = Math.round(12_000 * Math.sin((2 * Math.PI * 1000 * (n * 160 + i)) / 8000));
    const payload = new Uint8Array(160);
    encodeG711('PCMU', pcm, payload, 0);
    ladder.frame(n * 20_000, 'lobby', 'in', udpFrame({ ...server(7), port: 20_000 }, { ...LOBBY, port: 16_384 }, rtp(n, payload))!);
  }
  const sound = withoutKey(ladder.streams.all);
  expect(sound.samples.length).toBe(16_000);
  expect(toneShare(sound, 1000)).toBeGreaterThan(0.99);
});

it('a WAV file says what it holds', () => {
  const wav = Buffer.from(encodeWav(Int16Array.of(1, -2), 16_000));
  expect([wav.toString('latin1', 0, 4), wav.readUInt32LE(4), wav.readUInt32LE(24), wav.readUInt32LE(40)]).toEqual(['RIFF', 40, 16_000, 4]);
  expect([wav.readInt16LE(44), wav.readInt16LE(46)]).toEqual([1, -2]);
});
