import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { boardHost } from '../../boards/host.js';
import { decodePartitionTable, encodePartitionTable, placePartitions } from '../../core/storage/image.codec.js';
import { expectOk } from '../../hal/base/result.js';
import type { Bench } from '../../hal/conformance/index.js';
import { createNodeHal, createNodeHost, type NodeHal, type NodeHost } from '../../hal/node/index.js';
import { WavWriter } from '../../hal/node/wav.js';
import { startDnsServer } from '../../sim/peers/dns-server.js';
import { at, startEcho } from './echo.js';
import { later, until } from './real-bench.js';

import { testConformance } from './report.js';

const LOOPBACK = '127.0.0.1';

describe('hal/node', () => {
  let folder: string;
  let peer: NodeHost;
  let endpoint: NodeHal;
  let bench: Bench;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'belfry-'));
    peer = expectOk(await createNodeHost({ address: LOOPBACK, ports: { tcp: [0] } }), 'the peer');
    const names = { known: 'known.example.test', address: '192.0.2.1', unknown: 'unknown.example.test' };
    const dnsPort = freePort(peer);
    expectOk(
      startDnsServer({ net: peer.net }, { port: dnsPort, records: [{ name: names.known, type: 'A', value: names.address, ttl: 60 }] }),
      'DNS',
    );
    const echo = startEcho(peer.net);
    endpoint = expectOk(await createNodeHal(options(folder, dnsPort)), 'the endpoint');
    bench = {
      until,
      later,
      echo: { udp: at(LOOPBACK, echo.udp), tcp: at(LOOPBACK, echo.tcp) },
      nobody: at(LOOPBACK, 1),
      dial: (to) => peer.net.connect(to),
      names,
      spareFlash: 'data',
    };
  });

  afterAll(async () => {
    await endpoint.close();
    await peer.close();
    rmSync(folder, { recursive: true });
  });

  testConformance(() => ({ hal: endpoint.hal, bench }));
});

function freePort(host: NodeHost): number {
  const socket = expectOk(host.net.udp({ port: 0 }), 'a free UDP port');
  socket.close();
  return socket.local.port;
}

function options(folder: string, dnsPort: number): Parameters<typeof createNodeHal>[0] {
  const image = new Uint8Array(placePartitions(boardHost.flash).size).fill(0xff);
  image.set(encodePartitionTable(boardHost.flash));
  const path = join(folder, 'flash.img');
  writeFileSync(path, image);
  const microphone = join(folder, 'mic.wav');
  const writer = expectOk(WavWriter.create(microphone), 'a recording');
  writer.append(new Int16Array(8_000).fill(1_000), 8_000);
  writer.close();
  return {
    address: LOOPBACK,
    dns: `${LOOPBACK}:${dnsPort}`,
    ports: { tcp: [0] },
    mac: '0022EE0A0001',
    flash: { path, partitionsOf: decodePartitionTable },
    speaker: join(folder, 'speaker.wav'),
    microphone,
    lines: [
      { name: 'relay', kind: 'relay' },
      { name: 'button', kind: 'button' },
    ],
    tls: true,
    hooks: { onReboot: () => undefined, onLine: () => undefined, onAudioFailure: () => undefined },
  };
}
