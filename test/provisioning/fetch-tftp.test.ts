/** TFTP from the request of the plan to the datagrams: ports, timers, and what a run makes of the outcome. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ok } from '../../hal/base/result.js';
import { MINUTE, SECOND } from '../../hal/base/time.js';
import type { HalErrorKind, SocketAddress, UdpSocket } from '../../hal/hal.js';
import { packet, TftpTransfer, told } from './tftp-peer.js';
import { failureOf, texts, Web } from './web.js';

const HOME = 'tftp://192.0.2.9/conf%20files/';
const text = (content: string): Uint8Array => Uint8Array.from(Buffer.from(content));

/** A web with a TFTP server in it; `answer` stands for a server that does it otherwise. */
class TftpWeb extends Web {
  readonly asked69: string[] = [];
  readonly heard: string[] = [];
  readonly open = new Set<number>();
  sent: 'sent' | HalErrorKind = 'sent';
  files: Record<string, Uint8Array> = {};
  /** Octets to give in place of what the server would, and the address they come from. */
  answer69: ((file: string) => { bytes: Uint8Array; from?: SocketAddress } | undefined) | undefined;
  readonly #listeners = new Map<number, (bytes: Uint8Array, from: SocketAddress, at: number) => void>();
  readonly #transfers = new Map<number, TftpTransfer>();
  #port = 40_000;

  constructor() {
    super();
    this.ports.net.udp = () => ok(this.#socket(++this.#port)) as never;
  }

  #socket(port: number): UdpSocket {
    this.open.add(port);
    return {
      local: { address: '192.0.2.2', port },
      onDatagram: (listener) => void this.#listeners.set(port, listener),
      send: (to, bytes) => {
        if (this.sent === 'sent') this.#receive(port, to, bytes.slice());
        return this.sent;
      },
      join: () => ok(undefined),
      leave: () => {},
      close: () => {
        this.open.delete(port);
        this.#listeners.delete(port);
      },
    };
  }

  /** In a turn of its own; the octets are good during the call only (law 6). */
  deliver(port: number, bytes: Uint8Array, from: SocketAddress): void {
    const timer = this.kernel.timer('datagram', (at) => {
      const lent = bytes.slice();
      this.#listeners.get(port)?.(lent, from, at);
      lent.fill(0xee);
    });
    timer.set(this.clock.now() + 100);
  }

  #receive(client: number, to: SocketAddress, bytes: Uint8Array): void {
    this.heard.push(`${to.port} ${told(bytes)}`);
    if (to.port !== 69) {
      const answer = this.#transfers.get(to.port)?.receive(bytes);
      if (answer) this.deliver(client, answer, to);
      return;
    }
    const file = told(bytes).split(' blksize')[0]!.replace('READ ', '');
    this.asked69.push(file);
    const other = this.answer69?.(file);
    if (this.answer69) return other && this.deliver(client, other.bytes, other.from ?? { ...to, port: 5000 });
    const content = this.files[file];
    const own = 5000 + this.#transfers.size;
    const transfer = content && new TftpTransfer({ content, options: { blksize: 1428, tsize: true } }, bytes);
    if (transfer) this.#transfers.set(own, transfer);
    this.deliver(client, transfer ? transfer.repeat() : packet(5, 1, 'File not found'), { ...to, port: own });
  }
}

const given = (files: Record<string, Uint8Array>): TftpWeb => Object.assign(new TftpWeb(), { files });

describe('a download over TFTP', () => {
  it('asks port 69 for each file, and the server from a port of its own for each', () => {
    const web = given({ 'conf files/a.conf': text('a = 1'), 'conf files/b.conf': text('x'.repeat(5000)) });
    web.begin({ folder: HOME });
    web.clock.run(SECOND);
    const [result] = web.results;
    expect(web.asked69).toEqual(['conf files/a.conf', 'conf files/B.conf', 'conf files/b.conf']);
    expect(texts(result)).toEqual({ 'a.conf': 'a = 1', 'b.conf': 'x'.repeat(5000) });
    expect(web.heard.filter((line) => line.includes('ACK'))).toEqual([
      ...['5000 ACK 0', '5000 ACK 1'],
      ...['5001 ACK 0', '5001 ACK 1', '5001 ACK 2', '5001 ACK 3', '5001 ACK 4'],
    ]);
    expect(result?.ok && [...result.value.validators]).toEqual([
      ['tftp://192.0.2.9/conf%20files/a.conf', { sha256: createHash('sha256').update('a = 1').digest('hex') }],
      ['tftp://192.0.2.9/conf%20files/b.conf', { sha256: expect.any(String) }],
    ]);
  });

  it('keeps the port of a finished transfer open for a while, then closes it', () => {
    const web = given({ 'conf files/a.conf': text('a = 1') });
    web.begin({ folder: HOME, plan: [{ names: ['a.conf'] }] });
    web.clock.run(SECOND);
    expect(web.results).toHaveLength(1);
    const [port] = web.open;
    web.deliver(port!, packet(3, 1, text('a = 1')), { address: '192.0.2.9', port: 5000 });
    web.clock.run(SECOND);
    expect(web.heard.slice(-2)).toEqual(['5000 ACK 1', '5000 ACK 1']);
    web.clock.run(3 * SECOND);
    expect(web.open.size).toBe(0);
    expect(web.kernel.pendingTimers()).toEqual([]);
  });

  it('knows by content that nothing has changed, and checks companions', () => {
    const files = { 'conf files/a.conf': text('a = 1') };
    const first = given(files);
    first.begin({ folder: HOME });
    first.clock.run(SECOND);
    const [result] = first.results;
    const known = result?.ok ? result.value.validators : new Map();
    const second = given(files);
    second.begin({ folder: HOME, known });
    second.clock.run(SECOND);
    expect(second.results[0]).toMatchObject({ value: { unchanged: true } });
    const wrong = given({ ...files, 'conf files/a.conf.md5': text('0'.repeat(32)) });
    wrong.begin({ folder: HOME, md5: 'use' });
    wrong.clock.run(SECOND);
    expect(failureOf(wrong.results[0])).toMatchObject({ stage: 'integrity' });
  });

  it('is deaf to other hosts, and tells other ports of the server that they are wrong', () => {
    const web = given({});
    web.answer69 = () => ({ bytes: packet(3, 1, text('poison')), from: { address: '192.0.2.66', port: 5000 } });
    web.begin({ folder: HOME, plan: [{ names: ['a.conf'] }] });
    web.clock.run(SECOND / 2);
    const [port] = web.open;
    web.deliver(port!, packet(3, 1, new Uint8Array(512)), { address: '192.0.2.9', port: 5000 });
    web.deliver(port!, packet(3, 1, text('poison')), { address: '192.0.2.9', port: 5001 });
    web.deliver(port!, packet(3, 2, text('end')), { address: '192.0.2.9', port: 5000 });
    web.clock.run(SECOND / 4);
    expect(web.heard.slice(1)).toEqual(['5000 ACK 1', '5001 ERROR 5 no such transfer', '5000 ACK 2']);
    expect(texts(web.results[0])['a.conf']).toHaveLength(515);
  });

  it('repeats its request to port 69, and gives up a server that is silent', () => {
    const web = given({});
    web.answer69 = () => undefined;
    web.begin({ folder: HOME });
    web.clock.run(16 * SECOND);
    expect(web.asked69).toHaveLength(5);
    expect(failureOf(web.results[0])).toMatchObject({ stage: 'download', kind: 'timeout', detail: 'a.conf: no TFTP server answers' });
    expect([web.open.size, web.kernel.pendingTimers()]).toEqual([0, []]);
  });

  it('asks again without options, on the same port, where the server wants none', () => {
    const web = given({});
    web.answer69 = (file) => ({
      bytes: file.includes('tsize') || web.asked69.length === 1 ? packet(5, 8, 'no') : packet(3, 1, text('a = 1')),
    });
    web.begin({ folder: HOME, plan: [{ names: ['a.conf'] }] });
    web.clock.run(SECOND);
    expect(web.heard).toEqual(['69 READ conf files/a.conf blksize=1428 tsize=0 timeout=1', '69 READ conf files/a.conf', '5000 ACK 1']);
    expect(texts(web.results[0])).toEqual({ 'a.conf': 'a = 1' });
  });

  it.each<[string, (web: TftpWeb) => void, string, object]>([
    [
      'a file that may not be read',
      (web) => Object.assign(web, { answer69: () => ({ bytes: packet(5, 2, 'Access violation') }) }),
      HOME,
      { kind: 'refused', detail: 'a.conf: the server answers with error 2, "Access violation"' },
    ],
    [
      'a file that is too big',
      (web) => Object.assign(web, { answer69: () => ({ bytes: packet(6, 'tsize', '70000') }) }),
      HOME,
      { kind: 'too-big' },
    ],
    ['a network that is gone', (web) => Object.assign(web, { sent: 'unreachable' }), HOME, { stage: 'connect', kind: 'unreachable' }],
    [
      'a path that TFTP cannot write',
      () => {},
      'tftp://192.0.2.9/a%00b/',
      { kind: 'unsupported', detail: 'a.conf: TFTP has no such path' },
    ],
    ['a path that is too long', () => {}, `tftp://192.0.2.9/${'x'.repeat(400)}/`, { kind: 'unsupported' }],
    ['no file at all', () => {}, HOME, { kind: 'not-found', mend: 'put a.conf or B.conf on the server' }],
  ])('%s', (_name, spoil, folder, expected) => {
    const web = given({});
    spoil(web);
    web.begin({ folder });
    web.clock.run(SECOND);
    expect(failureOf(web.results[0])).toMatchObject({ mend: expect.stringMatching(/.{10}/), ...expected });
    expect([web.open.size, web.kernel.pendingTimers()]).toEqual([0, []]);
  });

  it('one that drips is given up', () => {
    const web = given({});
    web.answer69 = () => ({ bytes: packet(3, 1, new Uint8Array(512)) });
    web.begin({ folder: HOME, plan: [{ names: ['a.conf'] }] });
    web.clock.run(SECOND);
    const [port] = web.open;
    for (let block = 2; web.results.length === 0; block++) {
      if (block > 20) throw new Error('it waits for ever');
      web.clock.run(10 * SECOND);
      web.deliver(port!, packet(3, block, new Uint8Array(512)), { address: '192.0.2.9', port: 5000 });
      web.clock.run(1000);
    }
    expect(failureOf(web.results[0])).toMatchObject({ kind: 'timeout', detail: 'a.conf: the transfer takes too long' });
  });

  it('stopped, it answers nothing and leaves no port open', () => {
    for (const moments of [0, 50, 150, 1000]) {
      const web = given({ 'conf files/a.conf': text('x'.repeat(60_000)) });
      const stop = web.begin({ folder: HOME });
      web.clock.run(moments);
      stop();
      web.clock.run(5 * MINUTE);
      expect([web.results, web.open.size, web.kernel.pendingTimers()]).toEqual([[], 0, []]);
    }
  });
});
