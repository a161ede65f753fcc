/** The stack against the kernel of this machine: TCP both ways with losses, ICMP, UDP, and dnsmasq's DHCP and DNS. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DnsRecords, HalError, Result, SocketAddress } from '../../hal/hal.js';
import { NodeClock } from '../../hal/node/clock.js';
import { nodeEntropy } from '../../hal/node/entropy.js';
import { createStack, optionText, type Stack, type StackOptions } from '../../hal/stack/index.js';
import { End, pattern } from '../stack/streams.js';
import { dissect, saveCapture, WRONG } from './capture.js';
import { type Cable, describeCable, plug, until } from './tap.js';

const MAC = '020000AB0102';
const KERNEL = '10.79.1.1';
const OURS = '10.79.1.2';
const MEGABYTE = 1_000_000;
const SEED = 3;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Echoes TCP on 7777 and UDP on 7778. */
const ECHO = `
  const net = require('node:net'), dgram = require('node:dgram');
  net.createServer({ allowHalfOpen: true }, (s) => { s.on('error', () => {}); s.pipe(s); }).listen(7777, () => console.log('ready'));
  const u = dgram.createSocket('udp4'); u.on('message', (m, r) => u.send(m, r.port, r.address)); u.bind(7778);`;
/** Sends octets to us, half-closes, and prints the hash of what came back. */
const CLIENT = `
  const hash = require('node:crypto').createHash('sha256'); let n = 0;
  const s = require('node:net').connect({ port: +process.argv[2], host: process.argv[1], allowHalfOpen: true });
  s.on('data', (d) => { hash.update(d); n += d.length; });
  s.on('end', () => console.log(n, hash.digest('hex')));
  s.on('error', (e) => console.log(e.code));
  s.end(Buffer.alloc(+process.argv[3], 'belfry'));`;

async function output(cable: Cable, command: string, ...args: string[]): Promise<string> {
  const child = cable.spawn(command, args);
  let text = '';
  child.stdout!.on('data', (data) => {
    text += data;
  });
  await new Promise((done) => child.on('close', done));
  return text.trim();
}

/** Another host at our end of the cable, in place of the one before. */
function host(cable: Cable, address: StackOptions['address'], hostname?: string): Stack {
  const clock = new NodeClock();
  return createStack({ nic: cable.nic(MAC, clock), clock, entropy: nodeEntropy, address, ...(hostname ? { hostname } : {}) });
}

describeCable('the stack against the kernel', ['dnsmasq', 'ping', 'tshark'], () => {
  let cable: Cable;
  let stack: Stack;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(`${tmpdir()}/belfry-`);
    cable = await plug(`${KERNEL}/24`);
    stack = host(cable, { address: OURS, prefix: 24, dns: [KERNEL] });
    let ready = false;
    cable.spawn('node', ['-e', ECHO]).stdout!.on('data', () => {
      ready = true;
    });
    await until(() => ready);
  });

  afterAll(async () => {
    saveCapture(`${folder}/linux.pcapng`, cable.frames);
    await cable.close();
    const found = dissect(`${folder}/linux.pcapng`, WRONG);
    rmSync(folder, { recursive: true });
    expect(found).toEqual([]);
  });

  const connect = (port: number): End => new End(stack.net.connect({ address: KERNEL, port }));

  // 1472 octets fill a frame.
  it.each([0, 1, 56, 1001, 1472])('answers its ping of %d octets', async (size) => {
    const text = await output(cable, 'ping', '-q', '-c', '5', '-i', '0.02', '-M', 'do', '-s', String(size), OURS);
    expect(text).toContain('5 packets transmitted, 5 received, 0% packet loss');
    expect(text).not.toContain('wrong');
  });

  it.each([0, 0.03])('carries 1 MB there and back with a share of %d lost', async (loss) => {
    cable.lose(loss, SEED);
    const end = connect(7777);
    const data = pattern(MEGABYTE, 5);
    end.send(data, true);
    await until(() => end.closed !== undefined, 110);
    cable.lose(0, SEED);
    expect(end.closed).not.toHaveProperty('error');
    expect(sha(end.bytes)).toBe(sha(data));
  });

  it.each([0, 0.03])('serves a client of the kernel, with a share of %d lost', async (loss) => {
    const listener = stack.net.listen({ port: 8888, backlog: 4 }, (stream) => {
      // An echo that respects a slow reader.
      let left: Uint8Array | undefined;
      let ended = false;
      const write = (bytes: Uint8Array): void => {
        const rest = bytes.subarray(stream.write(bytes));
        left = rest.length > 0 ? rest : undefined;
        if (left) stream.pause();
        else if (ended) stream.end();
        else stream.resume();
      };
      stream.onEvent((event) => {
        if (event.type === 'data') write(event.bytes);
        else if (event.type === 'writable' && left) write(left);
        else if (event.type === 'end') {
          ended = true;
          if (!left) stream.end();
        }
      });
    });
    cable.lose(loss, SEED);
    const text = await output(cable, 'node', '-e', CLIENT, OURS, '8888', String(MEGABYTE));
    cable.lose(0, SEED);
    if (listener.ok) listener.value.close();
    expect(text).toBe(`${MEGABYTE} ${sha(Buffer.alloc(MEGABYTE, 'belfry'))}`);
  });

  it('is refused by closed ports, and refuses on its own', async () => {
    const end = connect(9);
    await until(() => end.closed !== undefined);
    expect(end.closed?.error?.kind).toBe('refused');
    expect(await output(cable, 'node', '-e', CLIENT, OURS, '9', '10')).toBe('ECONNREFUSED');
  });

  it('exchanges datagrams, and hears that a port is closed', async () => {
    const socket = stack.net.udp({ port: 0 });
    if (!socket.ok) throw new Error(socket.error.detail);
    const heard: [string, SocketAddress][] = [];
    socket.value.onDatagram((bytes, from) => heard.push([Buffer.from(bytes).toString(), from]));
    expect(socket.value.send({ address: KERNEL, port: 7778 }, Buffer.from('hello'))).toBe('sent');
    await until(() => heard.length > 0);
    expect(heard).toEqual([['hello', { address: KERNEL, port: 7778 }]]);
    const closed = { address: KERNEL, port: 9 };
    await until(() => socket.value.send(closed, Buffer.from('x')) === 'refused', 5);
    socket.value.close();
  });

  it('leases an address from dnsmasq and resolves names there', async () => {
    const dnsmasq = [
      '--keep-in-foreground',
      '--no-resolv',
      '--no-hosts',
      '--log-facility=-',
      '--user=root',
      '--no-ping',
      '--conf-file=/dev/null',
    ];
    const dhcp = [`--dhcp-range=10.79.1.50,10.79.1.60,2m`, `--dhcp-leasefile=${folder}/leases`, '--pid-file=', '--dhcp-authoritative'];
    const options = ['66,https://prov.example.test/', '160,http://other.example.test/', '150,10.79.1.9', 'option:ntp-server,10.79.1.8'];
    const names = ['--address=/prov.example.test/192.0.2.7', '--srv-host=_sips._tcp.example.test,sip.example.test,5061,1,2'];
    const naptr = ['--naptr-record=example.test,10,20,S,SIPS+D2T,,_sips._tcp.example.test', '--cname=alias.example.test,prov.example.test'];
    const forced = options.map((option) => `--dhcp-option-force=${option}`);
    const record = '--host-record=host.example.test,192.0.2.8,2001:db8::8';
    let ready = false;
    cable.spawn('dnsmasq', [...dnsmasq, ...dhcp, ...forced, ...names, ...naptr, record]).stderr!.on('data', (data) => {
      ready ||= String(data).includes('DHCP, IP range');
    });
    await until(() => ready);
    const leased = host(cable, 'dhcp', 'pager');
    await until(() => leased.nic.lease() !== undefined);
    const lease = leased.nic.lease()!;
    expect(lease).toMatchObject({ prefix: 24, gateway: KERNEL, dns: [KERNEL], ntp: ['10.79.1.8'] });
    expect(lease.address).toMatch(/^10\.79\.1\.(5\d|60)$/);
    // dnsmasq ends option 66 with NUL.
    const text = (code: number): string => optionText(lease.options.get(code)!);
    expect([text(66), text(160), [...lease.options.get(150)!]]).toEqual([
      'https://prov.example.test/',
      'http://other.example.test/',
      [10, 79, 1, 9],
    ]);
    const resolve = <K extends keyof DnsRecords>(name: string, type: K) =>
      new Promise<Result<readonly DnsRecords[K][], HalError>>((done) => void leased.net.resolve(name, type, done));
    expect(await resolve('prov.example.test', 'A')).toEqual({ ok: true, value: ['192.0.2.7'] });
    expect(await resolve('host.example.test', 'AAAA')).toEqual({ ok: true, value: ['2001:db8::8'] });
    expect(await resolve('_sips._tcp.example.test', 'SRV')).toMatchObject({
      value: [{ priority: 1, weight: 2, port: 5061, target: 'sip.example.test' }],
    });
    expect(await resolve('example.test', 'NAPTR')).toMatchObject({
      value: [{ flags: 'S', service: 'SIPS+D2T', replacement: '_sips._tcp.example.test' }],
    });
    expect(await resolve('nobody.example.test', 'A')).toMatchObject({ ok: false });
  });
});
