/** `prov.sync.*`: when a device asks by itself, and how a fleet is spread over the window. */
import { describe, expect, it } from 'vitest';
import { createKernel } from '../../core/kernel/kernel.js';
import { awaitSync } from '../../core/provisioning/schedule.js';
import { nextSync, type SyncWindow } from '../../core/provisioning/schedule.policy.js';
import { DAY, fromIso8601, HOUR, iso8601, MILLISECOND, MINUTE, SECOND } from '../../hal/base/time.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { MODEL, ProvisioningRig } from './rig.js';

const at = (text: string): number => fromIso8601(text)!;
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const NIGHT: SyncWindow = { start: 2 * 60, end: 4 * 60, days: EVERY_DAY };

describe('the window', () => {
  // 2026-01-01 is a Thursday.
  it.each<[string, SyncWindow, string, string, string]>([
    ['later today', NIGHT, '2026-01-01T01:00:00Z', '2026-01-01T02:00:00.000Z', '2026-01-01T04:00:00.000Z'],
    ['tomorrow, once it has begun', NIGHT, '2026-01-01T02:00:00Z', '2026-01-02T02:00:00.000Z', '2026-01-02T04:00:00.000Z'],
    [
      'across midnight',
      { ...NIGHT, start: 23 * 60, end: 60 },
      '2026-01-01T12:00:00Z',
      '2026-01-01T23:00:00.000Z',
      '2026-01-02T01:00:00.000Z',
    ],
    ['a whole day', { ...NIGHT, end: 120 }, '2026-01-01T12:00:00Z', '2026-01-02T02:00:00.000Z', '2026-01-03T02:00:00.000Z'],
    ['on Mondays', { ...NIGHT, days: [1] }, '2026-01-01T00:00:00Z', '2026-01-05T02:00:00.000Z', '2026-01-05T04:00:00.000Z'],
    [
      'on Sundays and Thursdays',
      { ...NIGHT, days: [4, 7] },
      '2026-01-01T03:00:00Z',
      '2026-01-04T02:00:00.000Z',
      '2026-01-04T04:00:00.000Z',
    ],
    [
      'a quarter of an hour without an end',
      { start: 120, days: EVERY_DAY },
      '2026-01-01T00:00:00Z',
      '2026-01-01T02:00:00.000Z',
      '2026-01-01T02:15:00.000Z',
    ],
  ])('%s', (_name, window, now, from, until) => {
    expect(iso8601(nextSync(window, at(now), 0))).toBe(from);
    expect(iso8601(nextSync(window, at(now), 0.999_999_999) + 1)).toBe(until);
  });
});

describe('waiting for it', () => {
  const wait = (clock: VirtualClock, random = 0.5) => {
    const kernel = createKernel(clock, () => {});
    const due: string[] = [];
    const cancel = awaitSync(
      kernel,
      NIGHT,
      () => random,
      () => due.push(iso8601(clock.wall().at)),
    );
    return { due, cancel };
  };

  it('is due once, at its point of the window', () => {
    const clock = new VirtualClock(at('2026-01-01T12:00:00Z'));
    const { due } = wait(clock);
    clock.run(14 * HOUR + 59 * MINUTE);
    expect(due).toEqual([]);
    clock.run(10 * DAY);
    expect(due).toEqual(['2026-01-02T03:00:00.000Z']);
  });

  it('is not due before anybody knows the time, and then not at once: a fleet would move at one instant', () => {
    const clock = new VirtualClock(0, 'none');
    const { due } = wait(clock);
    clock.run(5 * HOUR);
    clock.setWall(at('2026-01-01T03:30:00Z'));
    clock.run(20 * HOUR);
    expect(due).toEqual([]);
    clock.run(4 * HOUR);
    expect(due).toEqual(['2026-01-02T03:00:00.000Z']);
  });

  it('follows a clock that is put right meanwhile, within the hour', () => {
    const clock = new VirtualClock(at('2026-01-01T12:00:00Z'));
    const { due } = wait(clock);
    clock.setWall(at('2026-01-02T02:30:00Z'));
    clock.run(HOUR);
    expect(due).toEqual(['2026-01-02T03:30:00.000Z']);
  });

  it('follows a clock that had run a year ahead when it was planned', () => {
    const clock = new VirtualClock(at('2027-01-01T12:00:00Z'));
    const { due } = wait(clock);
    clock.setWall(at('2026-01-01T12:00:00Z'));
    clock.run(DAY);
    expect(due).toEqual(['2026-01-02T03:00:00.000Z']);
  });

  it('ends when it is cancelled', () => {
    const clock = new VirtualClock(at('2026-01-01T12:00:00Z'));
    const { due, cancel } = wait(clock);
    cancel();
    clock.run(3 * DAY);
    expect(due).toEqual([]);
  });
});

describe('the schedule of a device', () => {
  const scheduled = (settings: string): ProvisioningRig => {
    const rig = new ProvisioningRig({ option66: 'http://192.0.2.9/', clock: new VirtualClock(at('2026-01-01T12:00:00Z')) });
    rig.start();
    rig.serve({ [MODEL]: settings });
    return rig;
  };
  /** Minute by minute, so that no request waits for its answer in vain. */
  const days = (rig: ProvisioningRig, count: number, settings: string): void => {
    for (let minutes = 0; minutes < 24 * 60 * count; minutes++) {
      rig.clock.run(MINUTE);
      if (rig.last.stream.state === 'connecting') rig.serve({ [MODEL]: settings });
    }
  };
  const asked = (rig: ProvisioningRig): string[] =>
    rig.events
      .filter(({ event }) => event === 'provisioning.requested')
      .map((e) => iso8601(at('2026-01-01T12:00:00Z') + e.at / MILLISECOND).slice(0, 16));

  it('asks once in each window', () => {
    const settings = 'prov.sync.time = 02:00\nprov.sync.endtime = 04:00\nprov.sync.wdays = 5,6,';
    const rig = scheduled(settings);
    days(rig, 9, settings);
    expect(rig.named('provisioning.requested')[0]).toEqual({ event: 'provisioning.requested', by: 'schedule' });
    expect(asked(rig)).toEqual(['2026-01-02T03:00', '2026-01-03T03:00', '2026-01-09T03:00', '2026-01-10T03:00']);
    expect(rig.named('provisioning.unchanged')).toHaveLength(4);
  });

  it('asks nobody by itself where no time is set', () => {
    const rig = scheduled('a = 1');
    days(rig, 9, 'a = 1');
    expect(asked(rig)).toEqual([]);
  });

  it('moves when its settings do', () => {
    const rig = scheduled('prov.sync.time = 02:00');
    rig.sync();
    rig.serve({ [MODEL]: 'prov.sync.time = 05:00' });
    days(rig, 1, 'prov.sync.time = 05:00');
    expect(asked(rig).slice(1)).toEqual(['2026-01-02T05:07']);
  });
});

describe('other reasons to ask', () => {
  const LEASED = 'http://192.0.2.9/';

  it('another lease that names another server; not one that names the same', () => {
    const rig = new ProvisioningRig({ option66: LEASED });
    rig.start();
    rig.serve({ [MODEL]: 'a = 1' });
    rig.clock.run(MINUTE);
    rig.send({ type: 'lease.changed' });
    expect(rig.streams).toHaveLength(1);
    rig.option66 = 'http://192.0.2.77/';
    rig.send({ type: 'lease.changed' });
    expect(rig.named('provisioning.requested')).toEqual([{ event: 'provisioning.requested', by: 'lease' }]);
    expect(rig.last.to).toBe('192.0.2.77:80');
  });

  it('during a run is remembered, and answered by one more run however many there were', () => {
    const rig = new ProvisioningRig({ option66: LEASED });
    rig.start();
    for (let i = 0; i < 5; i++) rig.send({ type: 'sync', by: 'check-sync' });
    expect(rig.named('provisioning.requested')).toHaveLength(1);
    rig.serve({ [MODEL]: 'a = 1' });
    rig.clock.run(10 * SECOND);
    expect(rig.streams).toHaveLength(2);
    rig.serve({ [MODEL]: 'a = 2' });
    rig.clock.run(MINUTE);
    expect(rig.streams).toHaveLength(2);
    expect(rig.stored).toBe('a=2');
  });

  it('again and again does not make the device beat upon its server', () => {
    const rig = new ProvisioningRig({ option66: LEASED });
    rig.start();
    rig.serve({ [MODEL]: 'a = 1' });
    for (let second = 0; second < 100; second++) {
      rig.send({ type: 'sync', by: 'check-sync' });
      rig.clock.run(SECOND);
      if (rig.last.stream.state === 'connecting') rig.serve({ [MODEL]: 'a = 1' });
    }
    expect(rig.streams.length).toBeGreaterThan(9);
    expect(rig.streams.length).toBeLessThanOrEqual(11);
    expect(rig.named('provisioning.requested').length).toBeLessThanOrEqual(11);
  });

  it('does not wait for a retry, and a failed run is followed by one that was asked for meanwhile', () => {
    const rig = new ProvisioningRig({ option66: LEASED });
    rig.start();
    rig.send({ type: 'sync', by: 'check-sync' });
    rig.clock.run(9 * SECOND);
    rig.last.stream.fail({ kind: 'unreachable', detail: 'no route' });
    rig.clock.run(SECOND);
    expect(rig.streams).toHaveLength(2);
  });
});
