/** What a fleet's run leaves to be read: the plot, what was refused once for all, the ladder of a few. */
import { describe, expect, it } from 'vitest';
import { udpFrame } from '../../hal/layers/frame.codec.js';
import { DhcpOption, encodeDhcp } from '../../hal/stack/index.js';
import { sntpWords } from '../../sim/artefacts/dissect.js';
import { LadderBuilder } from '../../sim/artefacts/ladder-builder.js';
import { type RatePlot, ratePlotSvg } from '../../sim/artefacts/rate-plot.js';
import type { TimelineEvent } from '../../sim/artefacts/timeline.js';
import { distinctTroubles, repeated } from '../../sim/artefacts/troubles.js';

const SECOND = 1e6;

describe('the plot of a rate', () => {
  const plot = (more: Partial<RatePlot> = {}): string =>
    ratePlotSvg({
      title: 'fleet <return>',
      what: 'server.request of provisioning',
      times: [100, 100.2, 100.9, 101.5, 130].map((t) => t * SECOND),
      most: 20,
      per: SECOND,
      progress: {
        what: 'provisioning.applied',
        times: [101, 110, 130].map((t) => t * SECOND),
        total: 4,
        share: 0.75,
        since: 100 * SECOND,
        within: 60 * SECOND,
      },
      ...more,
    }).markup;
  /** Heights of the bars, as shares of that of the limit. */
  const bars = (markup: string): number[] => {
    const path = /<path d="([^"]+)" fill="#3b82c4"/.exec(markup)![1]!;
    const limit = Number(/<path d="M\d+,([\d.]+)H\d+" stroke="#c8483b"/.exec(markup)![1]);
    return [...path.matchAll(/,326V([\d.]+)h/g)].map(([, top]) => (326 - Number(top)) / (326 - limit));
  };

  it('has a bar for each second in which something happened, against the limit', () => {
    expect(bars(plot()).map((share) => Math.round(share * 20))).toEqual([3, 1, 1]);
  });
  it('grows above its limit', () => {
    expect(bars(plot({ most: 2 }))[0]).toBeCloseTo(1.5, 1);
  });
  it('follows the group up to its share, and says when that is due', () => {
    const markup = plot();
    expect(markup.match(/H[\d.]+V[\d.]+H[\d.]+V[\d.]+H[\d.]+V[\d.]+H/)).not.toBeNull();
    expect(markup).toContain('75 % are due here');
    expect(plot({ progress: { what: 'x', times: [], total: 4, share: 1, since: 0 } })).not.toContain('due here');
  });
  it('is a file of its own, with strangers’ words as words', () => {
    expect(plot()).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(plot()).toContain('fleet &lt;return&gt;');
    expect(plot()).not.toMatch(/NaN|Infinity|undefined/);
  });
  it('of nothing is drawn too', () => {
    const { progress: _none, ...rest } = { title: 'x', what: 'y', times: [], most: 1, per: SECOND, progress: undefined };
    expect(ratePlotSvg(rest).markup).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('what was refused', () => {
  const failed = (t: number, device: string, detail: string): TimelineEvent => ({
    t,
    at: t,
    device,
    event: 'provisioning.failed',
    fields: { server: 'https://p/', stage: 'connect', detail },
  });

  it('is told once, with how often and on how many devices', () => {
    const found = distinctTroubles([failed(1, 'a', 'x'), failed(2, 'b', 'x'), failed(3, 'a', 'x'), failed(4, 'a', 'y')]);
    expect(found.map((trouble) => [trouble.first.t, repeated(trouble)])).toEqual([
      [1, ' (3 times on 2 devices)'],
      [4, ''],
    ]);
  });
  it('is the same with another clock, and words about it', () => {
    const refused = (clock: string): TimelineEvent => ({
      t: 1,
      at: 1,
      device: 'a',
      event: 'tls.refused',
      fields: { rule: 'time-not-trusted', subject: 's', clock, detail: `it is ${clock} or later` },
    });
    expect(distinctTroubles([refused('1'), refused('2')]).map(repeated)).toEqual([' (2 times)']);
  });
});

describe('the ladder of some of many', () => {
  const UNITS = ['0022EE0A0001', '0022EE0A0002', '0022EE0A0003'];
  const hosts = [
    { name: 'unit-1', mac: UNITS[0]!, captured: true },
    { name: 'unit-2', mac: UNITS[1]!, captured: true },
    { name: 'dhcp', mac: '020000000002', captured: false },
  ];
  const offer = (clientMac: string): Uint8Array => {
    const [none, everyone] = ['0.0.0.0', { mac: 'FFFFFFFFFFFF', address: '255.255.255.255', port: 68 }];
    const fixed = { transaction: 1, seconds: 0, broadcast: true, clientAddress: none, serverAddress: none, relayAddress: none };
    const options = new Map([[DhcpOption.serverId, Uint8Array.of(10, 0, 0, 2)]]);
    const message = encodeDhcp({ op: 'reply', type: 'offer', yourAddress: '10.0.0.100', clientMac, options, ...fixed });
    return udpFrame({ mac: '020000000002', address: '10.0.0.2', port: 67 }, everyone, message)!;
  };

  it('tells a broadcast answer once, at its client, and nothing of those that have no lane', () => {
    const ladder = new LadderBuilder({ hosts, dhcpServer: 'dhcp', passwords: [] });
    for (const client of UNITS) for (const port of ['unit-1', 'unit-2']) ladder.frame(1, port, 'in', offer(client));
    for (const [i, unit] of ['unit-1', 'unit-3'].entries())
      ladder.event(unit, { t: 2, at: 2, device: UNITS[i]!, event: 'link.up', fields: {} });
    expect(ladder.build().rows.map(({ from, to, label }) => [from, to, label])).toEqual([
      ['dhcp', 'unit-1', 'offer 10.0.0.100'],
      ['dhcp', 'unit-2', 'offer 10.0.0.100'],
      ['unit-1', undefined, 'link.up'],
    ]);
  });
});

it.each([
  ['2026-01-01T00:00:00.000Z', 3_976_214_400],
  ['2057-01-01T00:00:00.000Z', 4_954_521_600 - 2 ** 32],
])('a time server that says %s is read so, whichever era it is', (text, seconds) => {
  const packet = new Uint8Array(48);
  packet[0] = 0x24;
  new DataView(packet.buffer).setUint32(40, seconds);
  expect(sntpWords(packet)?.label).toBe(text);
});
