import { describe, expect, it } from 'vitest';
import { board8180g2 } from '../../boards/8180-g2.js';
import { decodeSntpReply, encodeSntpRequest, type SntpReply } from '../../core/time/sntp.codec.js';
import { fromUtf8, latin1, utf8 } from '../../hal/base/bytes.js';
import { expectOk } from '../../hal/base/result.js';
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { HalError, Lease, Result, TlsIdentity } from '../../hal/hal.js';
import type { StaticAddress } from '../../hal/stack/index.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import { type SimHal, simHal } from '../../sim/hal/sim-hal.js';
import { startDhcpServer } from '../../sim/peers/dhcp-server.js';
import { startDnsServer } from '../../sim/peers/dns-server.js';
import { startProvisioningServer } from '../../sim/peers/provisioning-server.js';
import { startSntpServer } from '../../sim/peers/sntp-server.js';
import { platform, SimLab, START } from '../support/sim-lab.js';
import { collect, writeAll } from '../support/streams.js';
import { makeTestPki } from '../support/test-pki.js';

const MAC = '0022EE0A0001';
const BAD_NETWORK = { latency: 1000, jitter: 30 * MILLISECOND, loss: 0.05, duplicate: 0.02, reorder: 0.02 };

interface BoardOptions {
  address?: StaticAddress;
  /** Called after the board has taken a frame. */
  onReceived?(): void;
}

function board(lab: SimLab, name = 'lobby', mac = MAC, { address, onReceived }: BoardOptions = {}): SimHal {
  const port = lab.lan.ports.find((known) => known.name === name) ?? lab.lan.attach(name);
  return simHal({
    world: lab.world,
    platform,
    port,
    chip: new NorFlash(board8180g2.flash),
    board: board8180g2,
    mac,
    ...(address ? { address } : {}),
    hooks: {
      onReboot: () => {},
      onPowerCut: () => {},
      wrapFrames: (frames) => ({
        send: (bytes) => frames.send(bytes),
        onFrame: (listener) =>
          frames.onFrame((bytes, at) => {
            listener(bytes, at);
            onReceived?.();
          }),
      }),
    },
  });
}

describe('two hosts on the LAN', () => {
  it('exchange datagrams, and lose what the links lose', async () => {
    const lab = new SimLab({ faults: { latency: 1000, loss: 0.05 }, seed: 3 });
    const [a, b] = [lab.host('a', 1), lab.host('b', 2)];
    let received = 0;
    expectOk(b.net.udp({ port: 9 }), 'port').onDatagram((bytes, from) => {
      expect([from.address, latin1(bytes)]).toEqual(['10.0.0.1', 'hello']);
      received++;
    });
    const socket = expectOk(a.net.udp({ port: 0 }), 'port');
    for (let i = 0; i < 1000; i++) lab.world.at(SECOND + i * 1000, () => socket.send({ address: '10.0.0.2', port: 9 }, utf8('hello')));
    await lab.world.run(10 * SECOND);
    expect(received / 1000).toBeGreaterThan(0.87);
    expect(received / 1000).toBeLessThan(0.94);
  });

  it('move a stream whole and in order over a bad network', async () => {
    const lab = new SimLab({ faults: BAD_NETWORK, seed: 5 });
    const [a, b] = [lab.host('a', 1), lab.host('b', 2)];
    const sent = new Uint8Array(100_000).map((_, i) => (i * 7) & 255);
    let got: ReturnType<typeof collect> | undefined;
    expectOk(
      b.net.listen({ port: 80, backlog: 4 }, (stream) => {
        got = collect(stream);
      }),
      'port',
    );
    lab.world.at(SECOND, () => writeAll(a.net.connect({ address: '10.0.0.2', port: 80 }), sent));
    await lab.world.run(300 * SECOND);
    expect(got?.bytes.length).toBe(sent.length);
    expect(got?.bytes).toEqual(sent);
    const stats = lab.lan.ports.flatMap((port) => [port.stats.up, port.stats.down]);
    expect(stats.reduce((sum, { dropped }) => sum + dropped, 0)).toBeGreaterThan(5);
  });
});

describe('DHCP', () => {
  const serve = (lab: SimLab) =>
    startDhcpServer(lab.host('dhcp', 1), {
      pool: { first: '10.0.0.100', last: '10.0.0.101' },
      prefix: 24,
      gateway: '10.0.0.1',
      dns: ['10.0.0.2'],
      ntp: ['10.0.0.4'],
      domain: 'example.test',
      option66: 'https://prov.example.test/',
      option160: 'https://other.example.test/',
      option150: ['10.0.0.5'],
      leaseTime: 3600,
    });

  it('leases an address to a board by real frames, with the options for provisioning', async () => {
    const lab = new SimLab();
    expectOk(serve(lab), 'DHCP');
    const hal = board(lab);
    const leases: (Lease | undefined)[] = [];
    hal.nic.lease$.subscribe(({ lease }) => leases.push(lease));
    await lab.world.run(10 * SECOND);
    const lease = hal.nic.lease();
    expect(lease).toMatchObject({ address: '10.0.0.100', prefix: 24, gateway: '10.0.0.1', dns: ['10.0.0.2'], ntp: ['10.0.0.4'] });
    expect(latin1(lease!.options.get(66)!)).toBe('https://prov.example.test/');
    expect(latin1(lease!.options.get(160)!)).toBe('https://other.example.test/');
    expect([...lease!.options.get(150)!]).toEqual([10, 0, 0, 5]);
    expect(leases.at(-1)).toEqual(lease);
    expect(lab.logged('server.leased')).toMatchObject([{ address: '10.0.0.100', mac: MAC }]);
  });

  it('gives a board the same address after a reboot, another board another, and a third none', async () => {
    const lab = new SimLab();
    expectOk(serve(lab), 'DHCP');
    const first = board(lab);
    await lab.world.run(10 * SECOND);
    first.powerOff();
    const again = board(lab);
    const second = board(lab, 'hall', '0022EE0A0002');
    await lab.world.run(20 * SECOND);
    const third = board(lab, 'yard', '0022EE0A0003');
    await lab.world.run(60 * SECOND);
    expect([again, second, third].map((hal) => hal.nic.lease()?.address)).toEqual(['10.0.0.100', '10.0.0.101', undefined]);
    expect(lab.logged('server.refused')[0]).toMatchObject({ detail: 'no address is free for 0022EE0A0003' });
  });

  it('keeps a board’s address for it, also when a lower one has become free', async () => {
    const lab = new SimLab();
    expectOk(serve(lab), 'DHCP');
    const first = board(lab);
    await lab.world.run(10 * SECOND);
    const second = board(lab, 'hall', '0022EE0A0002');
    await lab.world.run(20 * SECOND);
    first.powerOff();
    await lab.world.run(2 * 3600 * SECOND);
    second.powerOff();
    const again = board(lab, 'hall', '0022EE0A0002');
    await lab.world.run(2 * 3600 * SECOND + 10 * SECOND);
    expect(again.nic.lease()?.address).toBe('10.0.0.101');
  });

  it('renews, through loss', async () => {
    const lab = new SimLab({ faults: { latency: 1000, loss: 0.2 }, seed: 2 });
    expectOk(serve(lab), 'DHCP');
    const hal = board(lab);
    await lab.world.run(4 * 3600 * SECOND);
    expect(hal.nic.lease()?.address).toBe('10.0.0.100');
    expect(lab.logged('server.leased').length).toBeGreaterThanOrEqual(7);
  });
});

describe('DNS', () => {
  it('answers A and SRV, and says what does not exist', async () => {
    const lab = new SimLab();
    const server = lab.host('dns', 2);
    expectOk(
      startDnsServer(server, {
        records: [
          { name: 'sip.example.test', ttl: 60, type: 'A', value: '10.0.0.3' },
          {
            name: '_sips._tcp.example.test',
            ttl: 60,
            type: 'SRV',
            value: { priority: 1, weight: 0, port: 5061, target: 'sip.example.test' },
          },
        ],
      }),
      'DNS',
    );
    const { net } = lab.host('a', 10);
    const answers: Record<string, Result<readonly unknown[], HalError>> = {};
    lab.world.at(0, () => {
      net.resolve('SIP.example.test', 'A', (result) => (answers['a'] = result));
      net.resolve('_sips._tcp.example.test', 'SRV', (result) => (answers['srv'] = result));
      net.resolve('nobody.example.test', 'A', (result) => (answers['none'] = result));
    });
    await lab.world.run(30 * SECOND);
    expect(answers['a']).toEqual({ ok: true, value: ['10.0.0.3'] });
    expect(answers['srv']).toEqual({ ok: true, value: [{ priority: 1, weight: 0, port: 5061, target: 'sip.example.test' }] });
    expect(answers['none']).toMatchObject({ ok: false, error: { kind: 'not-found' } });
  });
});

describe('SNTP', () => {
  it('tells the world’s time, and gives back what the client sent', async () => {
    const lab = new SimLab();
    expectOk(startSntpServer(lab.host('ntp', 4)), 'SNTP');
    const socket = expectOk(lab.host('a', 10).net.udp({ port: 0 }), 'port');
    const replies: (SntpReply | undefined)[] = [];
    socket.onDatagram((bytes) => replies.push(decodeSntpReply(bytes)));
    const cookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    lab.world.at(90 * SECOND, () => socket.send({ address: '10.0.0.4', port: 123 }, encodeSntpRequest(cookie)));
    await lab.world.run(100 * SECOND);
    expect(replies).toMatchObject([{ synchronized: true, mode: 4, stratum: 1, originate: cookie }]);
    // One way takes one to some milliseconds, the question for the hardware address included.
    expect(replies[0]!.transmit.at - START - 90_000).toBeGreaterThanOrEqual(2);
    expect(replies[0]!.transmit.at - START - 90_000).toBeLessThan(15);
  });
});

describe('provisioning server', () => {
  const pki = makeTestPki(platform, { mac: MAC, serverName: 'prov.example.test', at: START });
  const fetch = async (identity: TlsIdentity | undefined, request: string, seed = 1) => {
    const lab = new SimLab({ seed });
    const files = new Map([['/algop8180g2.conf', utf8('sip.transp = tls\n')]]);
    const tls = { identity: pki.server, clientCertificate: 'required', clientAuthorities: [pki.root] } as const;
    const options = { tls, files };
    expectOk(startProvisioningServer(lab.host('prov', 5), options), 'server');
    const client = lab.host('device', 10);
    let got: ReturnType<typeof collect> | undefined;
    lab.world.at(0, () => {
      const stream = client.tls.client(client.net.connect({ address: '10.0.0.5', port: 443 }), {
        versions: { min: '1.2', max: '1.3' },
        serverName: 'prov.example.test',
        verify: () => ({ ok: true, verified: false }),
        ...(identity ? { identity } : {}),
      });
      got = collect(stream, () => stream.write(utf8(request)));
    });
    await lab.world.run(30 * SECOND);
    return { lab, text: fromUtf8(got!.bytes), got: got! };
  };
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: prov.example.test\r\nConnection: close\r\n\r\n`;

  it('serves files to a device with a certificate, and logs who asked', async () => {
    const { lab, text } = await fetch(pki.device, get('/algop8180g2.conf?x=1'));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nsip\.transp = tls\n$/);
    expect(lab.logged('server.request')).toMatchObject([
      { method: 'GET', target: '/algop8180g2.conf?x=1', status: 200, clientCN: MAC, clientSubject: `CN=${MAC}` },
    ]);
  });

  it('answers 404 and 405', async () => {
    expect((await fetch(pki.device, get('/nothing'))).text).toMatch(/^HTTP\/1\.1 404 /);
    expect((await fetch(pki.device, get('/').replace('GET', 'DELETE'))).text).toMatch(/^HTTP\/1\.1 405 /);
  });

  it.each([
    ['without a certificate', undefined, /no certificate/],
    ['with a stranger’s', pki.stranger, /does not chain/],
  ])('serves nobody %s', async (_who, identity, why) => {
    const { lab, text } = await fetch(identity, get('/algop8180g2.conf'));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(lab.logged('server.request')).toEqual([]);
    expect(String(lab.logged('server.refused')[0]?.['detail'])).toMatch(why);
  });

  it('is the same run each time', async () => {
    const [first, second] = [await fetch(pki.device, get('/algop8180g2.conf')), await fetch(pki.device, get('/algop8180g2.conf'))];
    expect(second.lab.frames).toEqual(first.lab.frames);
    expect(first.lab.frames.length).toBeGreaterThan(10);
  });
});

describe('a board whose power goes', () => {
  const SERVER = {
    identity: makeTestPki(platform, { mac: MAC, serverName: 'peer', at: START }).server,
    client: 'no',
    versions: { min: '1.2', max: '1.3' },
  } as const;

  /** A TLS connection of the board's; the power goes while the frame of that number is being received. */
  const cutDuringFrame = async (frame: number) => {
    const lab = new SimLab();
    const peer = lab.host('peer', 2);
    expectOk(
      peer.net.listen({ port: 443, backlog: 4 }, (stream) => collect(peer.tls.server(stream, SERVER))),
      'port',
    );
    let received = 0;
    const heard: string[] = [];
    const hear = (what: string) => heard.push(`${what} ${received > frame ? 'after' : 'before'}`);
    const hal = board(lab, 'lobby', MAC, {
      address: { address: '10.0.0.10', prefix: 24 },
      onReceived: () => {
        if (received++ === frame) hal.powerOff();
      },
    });
    const stream = hal.tls!.client(hal.net.connect({ address: '10.0.0.2', port: 443 }), {
      versions: { min: '1.2', max: '1.3' },
      verify: () => {
        hear('verify');
        return { ok: true, verified: false };
      },
    });
    stream.onEvent((event) => {
      hear(event.type);
      if (event.type === 'open') stream.end();
    });
    await lab.world.run(SECOND);
    const { up } = lab.lan.ports.find(({ name }) => name === 'lobby')!.stats;
    const { sent } = up;
    await lab.world.run(60 * SECOND);
    const cut = received > frame;
    if (cut) expect([up.sent, hal.nic.link()]).toEqual([sent, { up: false }]);
    return { cut, heard };
  };

  it('hears nothing from that moment on, and sends nothing, wherever in a TLS connection it is', async () => {
    const all: string[] = [];
    let frames = 0;
    for (let run = await cutDuringFrame(frames); run.cut; run = await cutDuringFrame(++frames)) all.push(...run.heard);
    expect(frames).toBeGreaterThan(5);
    expect(all.filter((what) => what.endsWith('after'))).toEqual([]);
    expect(all).toContain('open before');
  });
});
