/** The provisioning servers of the simulator: files by HTTP and TFTP, credentials, entity tags. Asked by hand, not by the device's clients. */
import { describe, expect, it } from 'vitest';
import { digestResponse } from '../../core/auth/digest.js';
import { fromUtf8, latin1, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import { type ProvisioningAuth, startProvisioningServer } from '../../sim/peers/provisioning-server.js';
import { startTftpServer } from '../../sim/peers/tftp-server.js';
import { platform, SimLab } from '../support/sim-lab.js';
import { collect } from '../support/streams.js';

const FILES = new Map([
  ['/algop8180g2.conf', utf8('sip.transp = tls\n')],
  ['/block.bin', new Uint8Array(1024).fill(7)],
]);

describe('by HTTP', () => {
  const ask = async (header: string, auth?: ProvisioningAuth): Promise<{ text: string; lab: SimLab }> => {
    const lab = new SimLab();
    expectOk(startProvisioningServer(lab.host('prov', 5), { files: FILES, ...(auth ? { auth } : {}) }), 'server');
    let got: ReturnType<typeof collect> | undefined;
    lab.world.at(0, () => {
      const stream = lab.host('device', 10).net.connect({ address: '10.0.0.5', port: 80 });
      const request = `GET /algop8180g2.conf HTTP/1.1\r\nHost: prov\r\n${header}Connection: close\r\n\r\n`;
      got = collect(stream, () => stream.write(utf8(request)));
    });
    await lab.world.run(10 * SECOND);
    return { text: fromUtf8(got!.bytes), lab };
  };
  const tagOf = (text: string): string => /^ETag: (".+")\r$/m.exec(text)![1]!;

  it('serves in clear, with a tag and the date of the world', async () => {
    const { text, lab } = await ask('');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nsip\.transp = tls\n$/);
    expect(text).toContain('Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n');
    expect(lab.logged('server.request')).toMatchObject([{ status: 200, clientCN: '' }]);
  });

  it('says that nothing has changed to who has it already, and to nobody else', async () => {
    const tag = tagOf((await ask('')).text);
    for (const header of [tag, `W/${tag}`, `"other", ${tag}`]) {
      expect((await ask(`If-None-Match: ${header}\r\n`)).text).toMatch(/^HTTP\/1\.1 304 Not Modified\r\n(?![\s\S]*sip\.transp)/);
    }
    expect((await ask('If-None-Match: "other"\r\n')).text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('asks who calls, by Basic', async () => {
    const auth = { scheme: 'basic', user: 'unit', password: 'pä:ss' } as const;
    const { text, lab } = await ask('', auth);
    expect(text).toMatch(/^HTTP\/1\.1 401 [\s\S]*^WWW-Authenticate: Basic realm="provisioning", charset="UTF-8"\r$/m);
    expect(lab.logged('server.request')).toMatchObject([{ status: 401 }]);
    const credentials = (password: string): string => `Authorization: Basic ${Buffer.from(`unit:${password}`).toString('base64')}\r\n`;
    expect((await ask(credentials('pä:ss'), auth)).text).toMatch(/^HTTP\/1\.1 200 /);
    expect((await ask(credentials('guess'), auth)).text).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('asks who calls, by Digest', async () => {
    const auth = { scheme: 'digest', user: 'unit', password: 'secret' } as const;
    const challenge = (await ask('', auth)).text;
    expect(
      challenge.match(/^WWW-Authenticate: Digest realm="provisioning", nonce="\w+", algorithm=(SHA-256|MD5), qop="auth"\r$/gm),
    ).toHaveLength(2);
    const nonce = /nonce="(\w+)"/.exec(challenge)![1]!;
    const answer = (password: string): string => {
      const counted = { nc: '00000001', cnonce: 'abc' };
      const input = {
        algorithm: 'SHA-256',
        user: 'unit',
        realm: 'provisioning',
        password,
        method: 'GET',
        uri: '/algop8180g2.conf',
        nonce,
        counted,
      } as const;
      const response = digestResponse(platform.crypto, input);
      return `Authorization: Digest username="unit", realm="provisioning", nonce="${nonce}", uri="/algop8180g2.conf", response="${response}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="abc"\r\n`;
    };
    // Each run has the same seed, so the nonce is the same too.
    expect((await ask(answer('secret'), auth)).text).toMatch(/^HTTP\/1\.1 200 /);
    expect((await ask(answer('guess'), auth)).text).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('by TFTP', () => {
  const text = (...parts: string[]): string => parts.map((part) => `${part}\0`).join('');
  const request = (opcode: number, ...parts: string[]): Uint8Array => utf8(`\0${String.fromCharCode(opcode)}${text(...parts)}`);
  const ack = (block: number): Uint8Array => Uint8Array.of(0, 4, block >> 8, block & 255);

  /** Packets from the server as `opcode second-word length`; each is acknowledged unless `answer` says otherwise. */
  const transfer = async (first: Uint8Array, answer: (packet: Uint8Array, nth: number) => Uint8Array | undefined = acknowledge) => {
    const lab = new SimLab();
    expectOk(startTftpServer(lab.host('prov', 5), { files: FILES }), 'server');
    const packets: Uint8Array[] = [];
    const socket = expectOk(lab.host('device', 10).net.udp({ port: 0 }), 'port');
    socket.onDatagram((bytes, from) => {
      packets.push(bytes.slice());
      const reply = answer(bytes, packets.length);
      if (reply) socket.send(from, reply);
    });
    lab.world.at(0, () => socket.send({ address: '10.0.0.5', port: 69 }, first));
    await lab.world.run(30 * SECOND);
    return { lab, packets, heads: packets.map((packet) => `${packet[1]} ${packet[2]! * 256 + packet[3]!} ${packet.length}`) };
  };
  const acknowledge = (packet: Uint8Array): Uint8Array | undefined =>
    packet[1] === 3 ? ack(packet[2]! * 256 + packet[3]!) : packet[1] === 6 ? ack(0) : undefined;

  it('sends a file in blocks, the last of them short, also where the file ends at a block', async () => {
    const { packets, lab } = await transfer(request(1, 'algop8180g2.conf', 'octet'));
    expect(packets.map((packet) => latin1(packet, 4))).toEqual(['sip.transp = tls\n']);
    expect(lab.logged('server.request')).toMatchObject([{ method: 'RRQ', target: 'algop8180g2.conf', status: 200 }]);
    expect((await transfer(request(1, '/block.bin', 'OCTET'))).heads).toEqual(['3 1 516', '3 2 516', '3 3 4']);
  });

  it('grants block size, size and timeout, and leaves out what it does not know', async () => {
    const options = ['blksize', '600', 'tsize', '0', 'timeout', '3', 'windowsize', '8'];
    const { packets, heads } = await transfer(request(1, 'block.bin', 'octet', ...options));
    expect(latin1(packets[0]!, 2)).toBe(text('blksize', '600', 'timeout', '3', 'tsize', '1024'));
    expect(heads.slice(1)).toEqual(['3 1 604', '3 2 428']);
  });

  it('repeats what nobody acknowledged, and gives up', async () => {
    const late = await transfer(request(1, 'block.bin', 'octet'), (packet, nth) => (nth === 1 ? undefined : acknowledge(packet)));
    expect(late.heads).toEqual(['3 1 516', '3 1 516', '3 2 516', '3 3 4']);
    const silent = await transfer(request(1, 'block.bin', 'octet'), () => undefined);
    expect(silent.heads).toEqual(Array.from({ length: 5 }, () => '3 1 516'));
  });

  it('does not answer an acknowledgement twice', async () => {
    const twice = await transfer(request(1, 'block.bin', 'octet'), (packet, nth) => (nth === 2 ? ack(1) : acknowledge(packet)));
    expect(twice.heads).toEqual(['3 1 516', '3 2 516', '3 2 516', '3 3 4']);
  });

  it.each([
    ['a file that it has not', request(1, 'nothing', 'octet'), '5 1'],
    ['what someone would write', request(2, 'block.bin', 'octet'), '5 2'],
    ['another mode', request(1, 'block.bin', 'netascii'), '5 4'],
  ])('refuses %s', async (_what, first, head) => {
    const { heads } = await transfer(first);
    expect(heads).toHaveLength(1);
    expect(heads[0]!.startsWith(head)).toBe(true);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['no end', utf8('\0\x01block.bin')],
    ['an opcode of no request', request(9, 'block.bin', 'octet')],
    ['no mode', request(1, 'block.bin').subarray(0, 11)],
  ])('passes over %s', async (_what, first) => {
    const { heads } = await transfer(first);
    expect(heads).toEqual([]);
  });
});
