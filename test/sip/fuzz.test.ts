/** Readers of what strangers send are total: whatever comes, nothing is thrown, nothing hangs, nothing grows. */
import { expect, it } from 'vitest';
import { readDigestParams } from '../../core/auth/digest.js';
import { composeRefusal, composeResponse } from '../../core/sip/compose.js';
import { StreamFramer } from '../../core/sip/framer.engine.js';
import { MESSAGE_OCTETS_MAX, readAddresses, readMessage, writeMessage } from '../../core/sip/message.codec.js';
import { fuzz } from '../support/mutation.js';
import { createRig, DEVICE, octets, SERVER } from './rig.js';

const FIELDS = [
  'Via: SIP/2.0/UDP [2001:db8::9]:5070;rport;branch=z9hG4bKx;received="a\\"b", SIP / 2.0 / TCP h;branch=y',
  'From: "A \\"B\\" <c>" <sip:a;x=y@example.test:5061;lr?h=v>;tag=1',
  'To: <tel:+1;isub=2>;tag="x"',
  'Call-ID: c1@192.0.2.9',
  'Record-Route: <sip:a;lr>,<sip:[::1]>',
  'm: <sip:a@b>;expires=3;+sip.instance="<urn:uuid:0>"',
  'X-Folded: a',
  '\tb',
  'WWW-Authenticate: Digest realm="r", nonce="n\\"", qop="auth,auth-int", algorithm=SHA-256, stale=true',
];
const sample = (start: string, cseq: string, body: string): Uint8Array =>
  octets([start, ...FIELDS, `CSeq: ${cseq}`, `Content-Length: ${body.length}`, '', body].join('\r\n'));
const SAMPLES = [
  sample('INVITE sip:u;p@[2001:db8::1]:5060;transport=tcp SIP/2.0', '7 INVITE', 'v=0\r\n'),
  sample('SIP/2.0 200 OK', '7 INVITE', ''),
  sample('BYE sips:b SIP/2.0', '8 BYE', ''),
];
const EXECUTIONS = 10_000;

it('the samples are read', () => {
  for (const bytes of SAMPLES) expect(readMessage(bytes)).toMatchObject({ ok: true });
});

it(`messages: ${EXECUTIONS} mutations`, () => {
  fuzz(SAMPLES, EXECUTIONS, (input) => {
    const read = readMessage(input);
    if (!read.ok) {
      if (read.error.reply) composeRefusal(read.error.reply);
      return;
    }
    for (const name of ['contact', 'record-route']) readAddresses(read.value.headers, name);
    readDigestParams(read.value.headers.get('www-authenticate') ?? '');
    if (read.value.type === 'request') writeMessage(composeResponse(read.value, { status: 200, toTag: 't' }));
    // What we write of what we read is read again.
    const again = readMessage(writeMessage(read.value));
    expect(again.ok, again.ok ? '' : again.error.detail).toBe(true);
  });
});

it(`streams: ${EXECUTIONS} mutations in pieces`, () => {
  fuzz(SAMPLES, EXECUTIONS, (input) => {
    const framer = new StreamFramer();
    let octetsOut = 0;
    for (let i = 0; i < input.length; i += 37) {
      for (const framed of framer.push(input.subarray(i, i + 37))) if (framed.type === 'message') octetsOut += framed.bytes.length;
    }
    expect(octetsOut).toBeLessThanOrEqual(Math.min(input.length, MESSAGE_OCTETS_MAX));
  });
});

it('a running endpoint: 3,000 mutated datagrams, and it still answers', () => {
  const rig = createRig({ limits: { client: 16, server: 64 } });
  rig.stack.start();
  const socket = rig.wire.host(SERVER).udp({ port: 5060 });
  if (!socket.ok) throw new Error('no socket');
  let answers = 0;
  socket.value.onDatagram(() => answers++);
  fuzz(SAMPLES, 3_000, (input) => {
    socket.value.send({ address: DEVICE, port: 5060 }, input);
    rig.run(2);
    for (const invite of rig.invites.splice(0)) invite.reject(486);
  });
  rig.run(60_000);
  answers = 0;
  const probe = [
    'OPTIONS sip:10.0.0.2 SIP/2.0',
    'Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKq',
    'From: <sip:a@b>;tag=1',
    'To: <sip:c@d>',
    'Call-ID: z',
    'CSeq: 1 OPTIONS',
    '',
    '',
  ];
  socket.value.send({ address: DEVICE, port: 5060 }, octets(probe.join('\r\n')));
  rig.run(5);
  expect(answers).toBe(1);
  rig.run(40_000);
  expect(rig.kernel.pendingTimers()).toEqual([]);
});
