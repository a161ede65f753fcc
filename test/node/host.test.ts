import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectOk } from '../../hal/base/result.js';
import type { GpioLine } from '../../hal/hal.js';
import { createNodeHal, type NodeHalOptions } from '../../hal/node/index.js';
import { until } from '../conformance/real-bench.js';

const LOOPBACK = '127.0.0.1';
const LINES: readonly GpioLine[] = [
  { name: 'relay', kind: 'relay' },
  { name: 'door', kind: 'input' },
];

describe('a HAL on this machine', () => {
  let folder: string;
  let told: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'belfry-'));
    writeFileSync(join(folder, 'flash.img'), new Uint8Array(4096));
    told = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const options = (more: Partial<NodeHalOptions> = {}): NodeHalOptions => ({
    address: LOOPBACK,
    mac: '0022EE0A0001',
    flash: { path: join(folder, 'flash.img'), partitionsOf: () => ({ ok: true, value: [] }) },
    lines: LINES,
    tls: true,
    hooks: {
      onReboot: (why) => told.push(`reboot ${why}`),
      onLine: (line, on) => told.push(`${line} ${on}`),
      onAudioFailure: (detail) => told.push(detail),
    },
    ...more,
  });

  it('reports the lease that it was given', async () => {
    const { hal, close } = expectOk(await createNodeHal(options({ dns: '192.0.2.53' })), 'hal');
    expect(hal.nic.link()).toEqual({ up: true });
    const lease = hal.nic.lease()!;
    expect(lease).toMatchObject({ address: LOOPBACK, prefix: 8, dns: ['192.0.2.53'], ntp: [] });
    expect(lease.options.size).toBe(0);
    expect(hal.nic.mac).toBe('0022EE0A0001');
    expect(hal.system.boot.reason).toBe('power');
    await close();
  });

  it('tells of outputs that change, and of a reboot in a later turn', async () => {
    const { hal, close } = expectOk(await createNodeHal(options()), 'hal');
    for (const on of [false, true, true, false]) hal.gpio.set('relay', on);
    hal.system.reboot('settings');
    expect(told).toEqual(['relay true', 'relay false']);
    await until('the reboot', () => (told.includes('reboot settings') ? true : undefined), 1_000_000);
    await close();
  });

  it('has no TLS where the board has none', async () => {
    const { hal, close } = expectOk(await createNodeHal(options({ tls: false })), 'hal');
    expect(hal.tls).toBeUndefined();
    await close();
  });

  it('leaves nothing behind when it cannot be made, and can be made again after close', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
    const { port } = server.address() as { port: number };
    const failed = await createNodeHal(options({ ports: { tcp: [port] }, speaker: join(folder, 'speaker.wav') }));
    expect(failed).toMatchObject({ ok: false, error: { kind: 'addr-in-use', detail: expect.stringContaining(String(port)) } });
    expect(existsSync(join(folder, 'flash.img.lock'))).toBe(false);
    server.close();
    for (let turn = 0; turn < 2; turn++) await expectOk(await createNodeHal(options()), 'hal').close();
  });
});
