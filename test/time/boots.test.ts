/** What a device knows of the time from one boot to the next, as whole runs in virtual time. */
import { describe, expect, it } from 'vitest';
import { nodePlatform } from '../../hal/node/index.js';
import { runScenario } from '../../sim/scenario/runner.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';

const platform = nodePlatform();

const yaml = (device: string, steps: string, dhcp = ''): string => `
belfry: 1
name: boots
about: A device loses its power, and finds its way back to the time.
start: 2026-01-01T00:00:00Z
end: 5min
lan: { latency: 1ms, jitter: 200us }
servers:
  dhcp: {${dhcp}}
  ntp: {}
  provisioning: { host: prov.example.test }
devices:
  lobby:
    board: 8180-g2
    firmware: "5.5"
    mac: "0022EE0A0001"
    image:
      certs/trusted/site.pem: ca:site
      settings: { prov.download.cert: "1" }
    provisioned: { admin.devname: lobby }
${device}
steps:
  - { at: 0s, power: on, device: lobby }
${steps}
expect:
  - { event: boot.ready, device: lobby }
`;

async function times(text: string): Promise<string[]> {
  const read = decodeScenario(text, []);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const { timeline } = await runScenario(read.value, { seed: 1, platform });
  return timeline.events.flatMap(({ event, fields }) => {
    if (event === 'time.set') return [`${fields['source']} ${fields['trust']} ${String(fields['clock']).slice(0, 16)}`];
    if (event === 'flash.committed' && String(fields['files']).includes('state/clock')) return ['kept'];
    return event === 'time.failed' ? [`${fields['source']} ${fields['kind']}`] : [];
  });
}

describe('a device without a real-time clock', () => {
  const https = ' option66: "https://prov.example.test/" ';

  it('begins the next boot at the time that its provisioning server bore out', async () => {
    const cycle = `
  - { at: 2min, power: off, device: lobby }
  - { at: 2min, server: ntp, cut: { for: 1h } }
  - { at: 2min, server: provisioning, cut: { for: 1h } }
  - { at: 3min, power: on, device: lobby }`;
    const told = await times(yaml('', cycle, https));
    expect(told.slice(0, 4)).toEqual([
      'build none 2025-01-01T00:00',
      'sntp network 2026-01-01T00:00',
      'kept',
      'floor none 2026-01-01T00:01',
    ]);
    expect(new Set(told.slice(4))).toEqual(new Set(['sntp timeout', 'https unreachable']));
  });

  it('keeps nothing of a time that only SNTP has told', async () => {
    const cycle = `
  - { at: 2min, power: off, device: lobby }
  - { at: 3min, power: on, device: lobby }`;
    const boot = ['build none 2025-01-01T00:00', 'sntp network 2026-01-01T00:0'];
    const told = await times(yaml('', cycle));
    expect(told.map((line) => line.slice(0, 28))).toEqual([...boot, ...boot].map((line) => line.slice(0, 28)));
  });
});

describe('a real-time clock', () => {
  it('is taken as it is when it may be right', async () => {
    const told = await times(yaml('    rtc: 2025-12-31T23:00:00Z', ''));
    expect(told).toEqual(['rtc rtc 2025-12-31T23:00', 'sntp network 2026-01-01T00:00']);
  });

  it('whose battery is empty is taken for none', async () => {
    const told = await times(yaml('    rtc: 2000-01-01T00:00:00Z', ''));
    expect(told).toEqual(['rtc refused', 'build none 2025-01-01T00:00', 'sntp network 2026-01-01T00:00']);
  });
});
