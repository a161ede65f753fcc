/** Connections drawn by hand: who opened them, what they speak, what is missing, how they end. */
import { describe, expect, it } from 'vitest';
import { TCP_FLAG } from '../../hal/layers/frame.codec.js';
import type { CapturedFrame } from '../../hal/layers/index.js';
import { nodePlatform } from '../../hal/node/index.js';
import { makeTestPki } from '../support/test-pki.js';
import { explain, rules } from './explain.js';
import { ASKED, exchange, pem, shown } from './openssl.js';
import { CLIENT, captureOf, SERVER, START, Wire } from './wire.js';

const pki = makeTestPki(nodePlatform(), { mac: '0022EE0A0001', serverName: 'prov.example.test', at: START / 1000 });
const server = shown(pki.server, pki.pkcs8.server);
const trust = [pki.root];
const { syn } = TCP_FLAG;
const sips = { server: { ...SERVER, port: 5061 } };
const REGISTER = 'REGISTER sip:example.test SIP/2.0\r\n\r\n';
const ALERT = '\u0015\u0003\u0001\u0000\u0002\u0002\u0046';

const look = (wire: Wire) => explain(captureOf(wire.frames));

describe('before TLS', () => {
  it('nobody answers', () => {
    const wire = new Wire().segment('client', syn);
    // The same again: number and all.
    wire.frames.push({ ...wire.frames[0]!, at: START + 3e6 }, { ...wire.frames[0]!, at: START + 9e6 });
    const explained = look(wire);
    expect(rules(explained)).toEqual(['fault no-answer']);
    expect(explained.text).toContain('10.0.0.10 port 443 does not answer (asked 3 times)');
    expect(explained.status).toBe(1);
  });

  it('nothing listens', () => {
    expect(rules(look(new Wire().segment('client', syn).reset('server')))).toEqual(['fault port-closed']);
  });

  it('a router cannot deliver', () => {
    const wire = new Wire().segment('client', syn);
    const quoted = wire.frames[0]!.bytes.subarray(14, 14 + 28);
    const head = Buffer.from('4500003800000000400100000a0000fe0a0000320301000000000000', 'hex');
    const bytes = Buffer.concat([wire.frames[0]!.bytes.subarray(0, 14), head, quoted]);
    wire.frames.push({ ...wire.frames[0]!, bytes });
    const explained = look(wire);
    expect(rules(explained)).toEqual(['fault unreachable']);
    expect(explained.text).toContain('10.0.0.254 says that 10.0.0.10 port 443 cannot be reached');
  });
});

describe('ends that speak past each other', () => {
  const hello = (): Promise<Uint8Array> => helloOf();
  it('TLS to a server of HTTP', async () => {
    const wire = new Wire()
      .open()
      .data('client', await hello())
      .data('server', 'HTTP/1.1 400 Bad Request\r\n\r\n')
      .fin('server');
    expect(rules(look(wire))).toEqual(['fault server-speaks-http']);
  });
  it('TLS to a server of SIP, and of who knows what', async () => {
    const sip = new Wire(sips)
      .open()
      .data('client', await hello())
      .data('server', 'SIP/2.0 400 Bad Request\r\n\r\n');
    expect(rules(look(sip))).toEqual(['fault server-speaks-clear']);
    const ssh = new Wire()
      .open()
      .data('client', await hello())
      .data('server', 'SSH-2.0-OpenSSH\r\n');
    expect(look(ssh).text).toContain('something that is no TLS on port 443: "SSH-2.0-OpenSSH"');
  });
  it('HTTP in clear to a server of TLS', () => {
    expect(rules(look(new Wire().open().data('client', ASKED).data('server', ALERT)))).toEqual(['fault client-speaks-clear']);
    const told = 'HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port';
    expect(rules(look(new Wire().open().data('client', ASKED).data('server', told)))).toEqual(['fault client-speaks-clear']);
  });
  it('SIP in clear to a server of TLS', () => {
    expect(rules(look(new Wire(sips).open().data('client', REGISTER).data('server', ALERT)))).toEqual(['fault client-speaks-clear']);
    expect(rules(look(new Wire(sips).open().data('client', REGISTER).reset('server')))).toEqual(['fault client-speaks-clear']);
  });
  it('both in clear is no fault, and no TLS', () => {
    const wire = new Wire({ server: { ...SERVER, port: 5060 } }).open().data('client', REGISTER).data('server', 'SIP/2.0 200 OK\r\n\r\n');
    const explained = look(wire);
    expect(explained).toMatchObject({ status: 0, connections: [{ speaks: { client: 'sip', server: 'sip' }, findings: [] }] });
    expect(explained.text).toMatch(/no TLS here: /);
    expect(explained.text).toMatch(/set "SIP Transportation" to TLS/);
  });
  it('a server that says nothing to a hello', async () => {
    expect(rules(look(new Wire().open().data('client', await hello())))).toEqual(['fault server-silent']);
    expect(
      rules(
        look(
          new Wire()
            .open()
            .data('client', await hello())
            .reset('server'),
        ),
      ),
    ).toEqual(['fault server-silent']);
  });
});

describe('a capture that is not whole', () => {
  const whole = () => exchange({ maxVersion: 'TLSv1.2', ca: pem(pki.root) }, server);

  it('begins in the middle, after the handshake', async () => {
    const { wire } = await whole();
    const later = wire.frames.slice(-12);
    const { connections, text } = explain(captureOf(later));
    expect(connections[0]!.findings.map(({ rule }) => rule)).toContain('not-in-capture');
    expect(connections[0]!.server).toBe('10.0.0.10:443');
    expect(text).toMatch(/restart the device while it runs/);
  });

  it('lacks the SYN: the end that says ClientHello is the client', async () => {
    const { wire } = await exchange({ maxVersion: 'TLSv1.2', ca: pem(pki.root) }, server);
    const { connections } = explain(captureOf(wire.frames.slice(3)), { trust });
    expect(connections[0]!.tls).toMatchObject({ version: '1.2', serverName: 'prov.example.test' });
    const odd = new Wire({ client: { ...CLIENT, port: 400 }, server: { ...SERVER, port: 40_000 } }).open().data('client', await helloOf());
    expect(explain(captureOf(odd.frames.slice(3))).connections[0]).toMatchObject({ client: '10.0.0.50:400', server: '10.0.0.10:40000' });
  });

  it('is in disorder, and doubled by the mirror: the same is found', async () => {
    const { wire } = await whole();
    const doubled = wire.frames.flatMap((frame) => [frame, { ...frame, at: frame.at + 3 }]);
    const shuffled = disordered(doubled);
    const { connections } = explain(captureOf(shuffled), { trust });
    expect(connections).toHaveLength(1);
    expect(connections[0]!.tls).toMatchObject({ version: '1.2', finished: true });
    expect(connections[0]!.tls!.serverCertificates).toHaveLength(3);
    expect(connections[0]!.findings).toEqual([]);
    expect(connections[0]!.tcp.server.repeated).toBeGreaterThan(0);
  });

  it('lacks segments: how many octets, and what is left', async () => {
    const { wire } = await whole();
    // Of the flight with the server's certificates, the one in the middle.
    const index = wire.frames.findIndex(({ bytes }, i) => i > 5 && bytes.length > 1400);
    const { connections } = explain(captureOf(wire.frames.filter((_, i) => i !== index + 2)), { trust });
    expect(connections[0]!.tcp.server.missing).toBeGreaterThan(0);
    expect(connections[0]!.tls).toMatchObject({ version: '1.2' });
    expect(connections[0]!.findings.map(({ rule }) => rule)).toContain('not-in-capture');
  });

  it('lacks the beginning of what the server says: it is not taken for no TLS', async () => {
    const { wire } = await whole();
    const first = wire.frames.findIndex(({ bytes }, i) => i > 3 && bytes.length > 1000);
    const explained = explain(captureOf(wire.frames.filter((_, i) => i !== first)), { trust });
    expect(explained.connections[0]!.tcp.server.missing).toBe(1400);
    expect(rules(explained)).toEqual(['note not-in-capture']);
    expect(explained.connections[0]!.tls!.offered!.versions).toEqual(['up to 1.2']);
    const ended = explain(captureOf(wire.frames.slice(0, first + 3).filter((_, i) => i !== first)), { trust });
    expect(rules(ended)).toEqual(['note not-in-capture']);
  });

  it('has packets cut short: the hello still tells', async () => {
    const { wire } = await whole();
    // The fourth frame is the ClientHello; it loses its last octets.
    const { connections } = explain(withSnaplen(captureOf(wire.frames), wire.frames[3]!.bytes.length - 20), { trust });
    expect(connections[0]!.tcp.client.missing).toBeGreaterThan(0);
    expect(connections[0]!.tls).toMatchObject({ version: '1.2', serverName: 'prov.example.test' });
    expect(connections[0]!.tls!.serverCertificates).toBeUndefined();
    expect(connections[0]!.findings.map(({ severity }) => severity)).not.toContain('fault');
  });
});

it('a handshake that stops in the middle, while the capture goes on', async () => {
  const { wire } = await exchange({ maxVersion: 'TLSv1.2', ca: pem(pki.root) }, server);
  const stopped = wire.frames.slice(0, 6);
  expect(explain(captureOf(stopped), { trust }).status).toBe(0);
  const later = { ...wire.frames[0]!, at: START + 30e6, bytes: Buffer.from(`${'ff'.repeat(12)}0806${'00'.repeat(28)}`, 'hex') };
  const explained = explain(captureOf([...stopped, later]), { trust });
  expect(rules(explained)).toEqual(['fault stalled']);
  expect(explained.text).toMatch(/stops in the middle, 29 s before the capture ends/);
});

it('tells connections between the same ports apart', () => {
  const [first, second] = [new Wire({}, 1000).open().data('client', ASKED).fin('client').fin('server'), new Wire({}, 2_000_000).open()];
  const { connections } = explain(captureOf([...first.frames, ...second.data('client', REGISTER).frames]));
  expect(connections.map(({ speaks }) => speaks.client)).toEqual(['http', 'sip']);
});

it('shows what comes to the same once, and counts the others', () => {
  const tries = Array.from(
    { length: 30 },
    (_, i) => new Wire({ client: { ...CLIENT, port: 50_000 + i } }).segment('client', syn).reset('server').frames,
  );
  const { text, connections } = explain(captureOf(tries.flat()));
  expect(connections).toHaveLength(30);
  expect(text.match(/nothing listens/g)).toHaveLength(2); // its block, and the end
  expect(text).toContain('the same 29 times more: #2 #3');
});

it('follows a bounded number of connections, and says what it left', () => {
  const frames = Array.from({ length: 10_050 }, (_, i) => {
    const client = { ...CLIENT, address: `10.1.${i >> 8}.${i & 255}` };
    return new Wire({ client }, i).segment('client', syn).frames[0]!;
  });
  const { summary } = explain(captureOf(frames));
  expect(summary).toMatchObject({ connections: 10_000, overlooked: 50 });
});

it('counts what is no TCP by what it is', () => {
  const arp = { interface: 0, at: START, direction: 'in' as const, bytes: Buffer.from(`${'ff'.repeat(12)}0806${'00'.repeat(28)}`, 'hex') };
  const { summary, status, text } = explain(captureOf([arp, arp]));
  expect([status, summary]).toEqual([0, expect.objectContaining({ connections: 0, tls: 0, others: { ARP: 2 } })]);
  expect(text).toMatch(/other packets: ARP 2/);
});

/** A ClientHello as OpenSSL says it. */
async function helloOf(): Promise<Uint8Array> {
  const { wire } = await exchange({}, server);
  const frame = wire.frames[3]!.bytes;
  return frame.subarray(54);
}

/** Neighbours change places, but for the first three. */
function disordered(frames: readonly CapturedFrame[]): CapturedFrame[] {
  const out = [...frames];
  for (let i = 7; i + 1 < out.length; i += 3) [out[i], out[i + 1]] = [out[i + 1]!, out[i]!];
  return out;
}

/** What a capture with a limit on the length of packets has. */
function withSnaplen(file: Uint8Array, limit: number): Uint8Array {
  const most = limit - (limit % 4);
  const bytes = Buffer.from(file);
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    const captured = bytes.readUInt32LE(at + 20);
    if (bytes.readUInt32LE(at) !== 6 || captured <= most) out.push(bytes.subarray(at, at + length));
    else {
      const head = Buffer.from(bytes.subarray(at, at + 28 + most));
      head.writeUInt32LE(32 + most, 4);
      head.writeUInt32LE(most, 20);
      const tail = Buffer.alloc(4);
      tail.writeUInt32LE(32 + most);
      out.push(head, tail);
    }
    at += length;
  }
  return Buffer.concat(out);
}
