/** A board from power-on: what is on its flash, and what it says of it. */
import { describe, expect, it } from 'vitest';
import { findBoard } from '../../boards/index.js';
import { createEndpoint, type Endpoint } from '../../core/device/endpoint.js';
import type { EndpointEvent } from '../../core/kernel/events.js';
import { SECOND } from '../../hal/base/time.js';
import { NorFlash } from '../../sim/flash/nor-flash.js';
import { simHal } from '../../sim/hal/sim-hal.js';
import { makeChip } from '../../sim/scenario/flash-bench.js';
import { platform, SimLab } from '../support/sim-lab.js';

const MAC = '0022EE0A0001';

interface Booted {
  events: EndpointEvent[];
  endpoint: Endpoint;
  lab: SimLab;
}

/** Alone on its LAN, for `seconds`; `factory` false leaves the chip as it comes from its maker. */
async function boot(options: {
  board: string;
  settings?: Record<string, string>;
  firmware?: string;
  factory?: boolean;
  seconds?: number;
  nicMac?: string;
}): Promise<Booted> {
  const lab = new SimLab();
  const board = findBoard(options.board)!;
  const setup = {
    board: board.id,
    mac: MAC,
    image: { settings: new Map(Object.entries(options.settings ?? {})), files: new Map() },
    provisioned: new Map(),
  };
  const factory = {
    board: board.id,
    mac: MAC,
    serial: 'S1',
    made: 0,
    password: 'first',
    anchors: { set: 'none', version: '1', certificates: [] },
  };
  const chip = options.factory === false ? new NorFlash(board.flash) : makeChip({ board, factory, setup, file: () => new Uint8Array(0) });
  const hal = simHal({
    world: lab.world,
    platform,
    port: lab.lan.attach('lobby'),
    chip,
    board,
    mac: options.nicMac ?? MAC,
    address: { address: '10.0.0.50', prefix: 24 },
    hooks: { onReboot: () => {}, onPowerCut: () => {} },
  });
  const events: EndpointEvent[] = [];
  const endpoint = createEndpoint({ hal, board, firmware: options.firmware ?? board.firmware.newest, sink: (event) => events.push(event) });
  lab.world.at(0, () => endpoint.start());
  await lab.world.run((options.seconds ?? 2) * SECOND);
  return { events, endpoint, lab };
}

const named = (events: readonly EndpointEvent[], name: string): EndpointEvent[] => events.filter(({ event }) => event === name);

describe('booting', () => {
  it('goes on without time and without a provisioning server, and shows its status', async () => {
    const { events, endpoint } = await boot({ board: '8180-g2', seconds: 15 });
    expect(named(events, 'boot.ready')).toMatchObject([{ board: '8180-g2', firmware: '5.5', reason: 'power' }]);
    expect(Object.fromEntries(endpoint.status())).toEqual({
      'Device Name': `sipalerter-${MAC}`,
      'SIP Registration': 'No Account',
      'Call Status': 'Idle',
      MAC: '00:22:ee:0a:00:01',
      IPv4: '10.0.0.50/24',
      'Manufacturer Certificate': 'Not Installed',
    });
    expect(named(events, 'endpoint.status')).toHaveLength(1);
  });

  it('refuses, by board and key, what the board cannot do, and serves with the defaults in its place', async () => {
    const { events, endpoint } = await boot({
      board: '8061',
      settings: { 'sip.transp': 'tls', 'sip.srtp': 'standard', 'admin.devname': 'gate' },
    });
    expect(named(events, 'settings.refused').map((event) => ('key' in event ? `${event.board} ${event.key}` : ''))).toEqual([
      '8061 sip.srtp',
      '8061 sip.transp',
    ]);
    expect(endpoint.status()[0]).toEqual(['Device Name', 'gate']);
    expect(named(events, 'sip.failed')).toEqual([]);
  });

  it('tells of settings that change nothing: of other boards, of nobody, and of what comes later', async () => {
    const settings = { 'net.ip': '10.0.0.5', 'relayin.override.goup': '1', 'sip.outbound': '1', 'sip.sips': '0' };
    const { events } = await boot({ board: '8301', settings });
    expect(named(events, 'settings.unknown')).toMatchObject([
      { by: 'local', keys: ['net.ip', 'relayin.override.goup'], detail: 'boards of the first generation have net.ip' },
    ]);
    expect(named(events, 'settings.stored')).toMatchObject([{ by: 'local', keys: ['sip.outbound'] }]);
  });

  it('knows what an older firmware lacks', async () => {
    const { events } = await boot({ board: '8180-g2', firmware: '1.6.3', settings: { 'prov.download.cert': '1' } });
    expect(named(events, 'settings.refused')).toMatchObject([
      { key: 'prov.download.cert', firmware: '1.6.3', mend: 'upgrade to firmware 1.6.4 or later' },
    ]);
  });

  it('asks for other settings when it is told to, and not once it has stopped', async () => {
    const { events, endpoint, lab } = await boot({ board: '8061', seconds: 15 });
    lab.world.at(lab.world.now, () => endpoint.sync());
    await lab.world.run(lab.world.now + SECOND);
    expect(named(events, 'provisioning.requested')).toMatchObject([{ by: 'check-sync' }]);
    lab.world.at(lab.world.now, () => endpoint.shutdown(() => {}));
    await lab.world.run(lab.world.now + 5 * SECOND);
    let told = 0;
    lab.world.at(lab.world.now, () => {
      endpoint.sync();
      endpoint.shutdown(() => told++);
    });
    await lab.world.run(lab.world.now + SECOND);
    expect([told, events.at(-1)?.event]).toEqual([1, 'endpoint.stopped']);
  });

  it('does not boot without an identity, and says why', async () => {
    const { events } = await boot({ board: '8180-g2', factory: false });
    expect(named(events, 'endpoint.stopped')).toMatchObject([{ reason: expect.stringContaining('no manufacture record') }]);
    expect(named(events, 'link.up')).toEqual([]);
  });

  it('reports a network interface whose address is not the one from manufacture, and goes on', async () => {
    const { events } = await boot({ board: '8301', nicMac: '0022EE0A00FF' });
    expect(named(events, 'identity.mismatch')).toMatchObject([{ nic: '0022EE0A00FF', factory: MAC }]);
    expect(named(events, 'lease.acquired')).toHaveLength(1);
  });

  it('shuts down in order, from any state', async () => {
    for (const seconds of [0, 0.001, 1, 15]) {
      const { events, endpoint, lab } = await boot({ board: '8180-g2', seconds });
      let stopped = 0;
      lab.world.at(lab.world.now, () => endpoint.shutdown(() => stopped++));
      await lab.world.run(lab.world.now + 5 * SECOND);
      expect({ seconds, stopped, last: events.at(-1)?.event }).toEqual({ seconds, stopped: 1, last: expect.any(String) });
      expect(named(events, 'endpoint.stopped')).toHaveLength(1);
      expect(named(events, 'machine.failed')).toEqual([]);
    }
  });
});
