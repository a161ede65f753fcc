/** Each rung by which a clock comes to be trusted, from the one that asks nobody to the last resort. */
import { describe, expect, it } from 'vitest';
import { contradicts, laterFloor } from '../../core/time/floor.policy.js';
import { DAY, HOUR, iso8601, MILLISECOND, MINUTE, SECOND } from '../../hal/base/time.js';
import type { UnixMillis } from '../../hal/hal.js';
import { date } from '../certs/support.js';
import { boot, NOW, SERVER } from './rig.js';

const BUILT = date('2026-01-01');
const KEPT = date('2026-05-01');
const SNTP = '192.0.2.1';
const ms = (micros: number): UnixMillis => micros / MILLISECOND;

describe('a real-time clock', () => {
  it('is believed where nothing contradicts it, without asking anybody', () => {
    const { events, clock } = boot({ wall: NOW, trust: 'rtc', kept: `${KEPT}\n`, built: BUILT });
    expect(events).toEqual([{ at: 0, event: 'time.set', source: 'rtc', trust: 'rtc', clock: iso8601(NOW) }]);
    expect(clock.wall()).toEqual({ at: NOW, trust: 'rtc' });
  });

  it.each([
    ['the last known time', `${KEPT}\n`, KEPT, 'floor', 'earlier than the last known time 2026-05-01'],
    ['this firmware', undefined, BUILT, 'build', 'earlier than 2026-01-01T00:00:00.000Z, when this firmware was made'],
  ] as const)('is not believed where it is behind %s: its battery is empty', (_what, kept, floor, source, why) => {
    const { events, clock } = boot({ wall: date('2000-01-01'), trust: 'rtc', built: BUILT, ...(kept === undefined ? {} : { kept }) });
    expect(events).toMatchObject([
      { event: 'time.failed', source: 'rtc', detail: expect.stringContaining(why), mend: expect.stringContaining('battery') },
      { event: 'time.set', source, trust: 'none', clock: iso8601(floor) },
    ]);
    expect(clock.wall()).toEqual({ at: floor, trust: 'none' });
  });

  it('may be an hour behind: quartzes drift', () => {
    expect(contradicts(NOW - ms(HOUR), NOW)).toBe(false);
    expect(contradicts(NOW - ms(HOUR) - 1, NOW)).toBe(true);
    expect(boot({ wall: KEPT - ms(HOUR), trust: 'rtc', kept: `${KEPT}\n` }).clock.wall().trust).toBe('rtc');
  });
});

describe('a clock that nobody set', () => {
  it.each([
    ['the last known time, where that is later', `${KEPT}\n`, BUILT, 'floor', KEPT],
    ['the time when the firmware was made, where that is later', `${BUILT - 1}\n`, BUILT, 'build', BUILT],
    ['the last known time, where it is all that there is', `${KEPT}\n`, undefined, 'floor', KEPT],
  ] as const)('begins at %s, trusted by nobody, and runs', (_what, kept, built, source, at) => {
    const { events, clock, under } = boot({ kept, ...(built === undefined ? {} : { built }) });
    expect(events).toEqual([{ at: 0, event: 'time.set', source, trust: 'none', clock: iso8601(at) }]);
    under.run(MINUTE);
    expect(clock.wall()).toEqual({ at: at + ms(MINUTE), trust: 'none' });
    expect(clock.floor()).toEqual({ source, at: at + ms(MINUTE) });
    // The HAL's own clock is a real-time clock on some boards: it is not told what nobody knows.
    expect(under.wall()).toEqual({ at: ms(MINUTE), trust: 'none' });
  });

  it('begins in 1970 where nothing is known, whatever the HAL reads', () => {
    const { events, clock } = boot({ wall: NOW });
    expect(events).toEqual([]);
    expect(clock.wall()).toEqual({ at: 0, trust: 'none' });
    expect(clock.floor()).toBeUndefined();
    expect(laterFloor(undefined, undefined)).toBeUndefined();
  });

  it.each(['', '17e9\n', '1780000000000', '-1\n', '99999999999999999999\n', 'x\n'])('begins as if the file %j were not there', (kept) => {
    expect(boot({ kept }).events).toEqual([]);
  });
});

describe('a time server', () => {
  it('that says what cannot be is refused, by name, with what to do; its next answer may be right', () => {
    const rig = boot({ kept: `${KEPT}\n`, servers: [SNTP] });
    rig.start();
    rig.answer({ at: date('2019-04-07') });
    expect(rig.events.at(-1)).toMatchObject({
      event: 'time.failed',
      source: 'sntp',
      kind: 'refused',
      detail: '192.0.2.1 says 2019-04-07T00:00:00.005Z, earlier than the last known time 2026-05-01T00:00:00.010Z',
      mend: expect.stringMatching(/check the clock of that server.*factory reset/),
      retryIn: SECOND,
    });
    expect(rig.clock.wall().trust).toBe('none');
    rig.under.run(SECOND);
    rig.answer();
    expect(rig.clock.wall()).toMatchObject({ at: NOW + 5, trust: 'network' });
    expect(rig.under.wall().trust).toBe('network');
  });

  it('does not move a clock back behind what was proven in this boot', () => {
    const rig = boot({ servers: [SNTP] });
    rig.start();
    rig.answer();
    rig.known.proven(NOW);
    rig.under.run(DAY);
    rig.answer({ at: NOW });
    expect(rig.events.at(-1)).toMatchObject({ event: 'time.failed', kind: 'refused' });
    expect(rig.clock.wall().at).toBeGreaterThan(NOW + ms(DAY));
  });

  it('that lied into the future is not believed for longer than until its next answer: nothing of it is kept', () => {
    const rig = boot({ built: BUILT, servers: [SNTP] });
    rig.start();
    rig.answer({ at: date('2080-01-01') });
    expect(iso8601(rig.clock.wall().at)).toMatch(/^2080/);
    rig.under.run(DAY);
    rig.answer();
    expect(rig.clock.wall()).toMatchObject({ at: NOW + 5, trust: 'network' });
    // What the device has lived through itself is certain, and all that is kept.
    expect(rig.files.writes).toEqual([String(BUILT + ms(DAY))]);
  });
});

describe('the date of the provisioning server', () => {
  const blocked = (more: Parameters<typeof boot>[0] = {}) => {
    const rig = boot({ kept: `${KEPT}\n`, servers: [SNTP], dateServer: SERVER, ...more });
    const actor = rig.start();
    rig.under.runTo(2 * SECOND);
    return { ...rig, actor };
  };
  const JUNE = 'Date: Mon, 01 Jun 2026 00:00:00 GMT';

  it('is asked for when no time server answers, and counts when the same certificates are good at it', () => {
    const rig = blocked();
    expect(rig.connections).toHaveLength(1);
    rig.serve(JUNE);
    expect(rig.connections[0]!.taken()).toMatch(/^GET \/prov\/ HTTP\/1.1\r\nHost: 192.0.2.80\r\n/);
    expect(rig.judged).toEqual([{ chain: [Uint8Array.of(1)], name: '192.0.2.80', at: NOW + 500 }]);
    expect(rig.events.slice(1)).toMatchObject([
      { event: 'time.failed', source: 'sntp', kind: 'timeout' },
      { event: 'time.set', source: 'https', trust: 'network', clock: '2026-06-01T00:00:00.500Z' },
    ]);
    expect(rig.settled).toEqual([2 * SECOND]);
    expect(rig.connections[0]!.state).toBe('ended');
  });

  it('is asked for at once where there is no time server', () => {
    const rig = boot({ dateServer: SERVER });
    rig.start();
    expect(rig.settled).toEqual([]);
    rig.serve(JUNE);
    expect(rig.settled).toEqual([0]);
  });

  it('is found by name', () => {
    const rig = boot({ dateServer: { ...SERVER, host: 'prov.example.test' } });
    rig.start();
    rig.kernel.turn(rig.clock.now(), () => rig.net.answer());
    expect(rig.events).toMatchObject([
      { event: 'time.failed', source: 'https', kind: 'not-found', detail: expect.stringContaining('prov.example.test') },
    ]);
    rig.net.names.set('prov.example.test', '192.0.2.80');
    rig.under.run(SECOND);
    rig.kernel.turn(rig.clock.now(), () => rig.net.answer());
    rig.serve(JUNE);
    expect(rig.judged).toMatchObject([{ name: 'prov.example.test' }]);
  });

  it('gives way to a time server after a quarter of an hour', () => {
    const rig = blocked();
    rig.serve(JUNE);
    rig.under.run(15 * MINUTE);
    rig.answer({ at: NOW + ms(15 * MINUTE) });
    expect(rig.events.at(-1)).toMatchObject({ event: 'time.set', source: 'sntp' });
    expect(rig.connections).toHaveLength(1);
  });

  it('is not asked for by a clock that is trusted, whatever the time server does', () => {
    const rig = blocked({ wall: NOW, trust: 'rtc' });
    rig.under.runTo(HOUR);
    expect(rig.connections).toEqual([]);
    expect(rig.named()).toContain('time.failed');
  });

  it.each([
    ['without a date', 'Server: x', 'unsupported', /has no date/],
    ['with one that cannot be', 'Date: Sun, 07 Apr 2019 00:00:00 GMT', 'refused', /says 2019-04-07.*earlier than the last known time/],
  ])('does not count %s', (_what, line, kind, detail) => {
    const rig = blocked();
    rig.serve(line);
    expect(rig.events.at(-1)).toMatchObject({
      event: 'time.failed',
      source: 'https',
      kind,
      detail: expect.stringMatching(detail),
      retryIn: SECOND,
    });
    expect(rig.clock.wall().trust).toBe('none');
  });

  it('does not count where the certificates are not good at it', () => {
    const rig = blocked();
    rig.judge({ ok: false, rule: 'expired', subject: 'CN=x', clock: 0, detail: 'it ended at noon', mend: 'renew it' });
    rig.serve(JUNE);
    expect(rig.events.at(-1)).toMatchObject({
      event: 'time.failed',
      kind: 'tls-refused',
      detail: '192.0.2.80: at its own date it ended at noon',
      mend: 'renew it',
    });
    expect(rig.clock.wall().trust).toBe('none');
  });

  it('is asked for again, with the time server, when the connection comes to nothing', () => {
    const rig = blocked();
    rig.connections[0]!.fail({ kind: 'refused', detail: 'connection refused' });
    expect(rig.events.at(-1)).toMatchObject({
      event: 'time.failed',
      source: 'https',
      kind: 'refused',
      mend: expect.stringContaining('runs'),
    });
    rig.under.run(3 * SECOND);
    expect(rig.net.sent).toHaveLength(2);
    expect(rig.connections).toHaveLength(2);
    rig.connections[1]!.fail({ kind: 'tls-refused', detail: 'unknown-issuer: x' });
    expect(rig.events.at(-1)).toMatchObject({ kind: 'tls-refused', mend: expect.stringContaining('tls.refused') });
  });

  it('leaves nothing behind when the device stops while it waits', () => {
    const rig = blocked();
    rig.actor.stop();
    expect(rig.connections[0]!.state).toBe('aborted');
    expect(rig.timers()).toEqual([]);
  });
});

describe('the last known time', () => {
  const trusted = (more: Parameters<typeof boot>[0] = {}) => boot({ wall: NOW, trust: 'network', ...more });

  it('is what a verified certificate proves, its first day, and is written a minute after', () => {
    const rig = trusted({ built: BUILT });
    rig.known.proven(KEPT);
    rig.known.proven(BUILT);
    expect(rig.clock.floor()).toEqual({ source: 'floor', at: KEPT });
    rig.under.run(MINUTE);
    expect(rig.files.writes).toEqual([String(KEPT + ms(MINUTE))]);
  });

  it('is a date over HTTPS that agrees with the clock, of a server whose certificates are good at it', () => {
    const rig = trusted({ built: BUILT });
    rig.heard(NOW - ms(HOUR) - 1);
    rig.heard(NOW + ms(HOUR) + 1);
    rig.heard(NOW, () => false);
    expect(rig.clock.floor()).toMatchObject({ source: 'build' });
    rig.heard(NOW + 700);
    expect(rig.clock.floor()).toEqual({ source: 'floor', at: NOW });
    rig.under.run(MINUTE);
    expect(rig.files.writes).toEqual([String(NOW + ms(MINUTE))]);
  });

  it('is not learned from a date while nobody trusts the clock, but as soon as it is trusted', () => {
    const rig = boot({ kept: `${KEPT}\n`, servers: [SNTP] });
    rig.heard(KEPT);
    expect(rig.clock.floor()).toMatchObject({ at: KEPT });
    rig.start();
    rig.answer({ at: KEPT + ms(20 * MINUTE) });
    rig.heard(KEPT + ms(20 * MINUTE));
    expect(rig.clock.floor()).toMatchObject({ at: KEPT + ms(20 * MINUTE) });
  });

  it('costs the judging of a date once a day', () => {
    const rig = trusted();
    let judged = 0;
    const holds = (): boolean => ++judged > 0;
    for (let hour = 0; hour <= 48; hour++) {
      rig.heard(NOW + ms(hour * HOUR), holds);
      rig.under.run(HOUR);
    }
    expect(judged).toBe(3);
  });

  it('runs on with the device, and is written once a day', () => {
    const rig = trusted({ kept: `${KEPT}\n` });
    rig.heard(NOW);
    for (let hour = 1; hour <= 241; hour++) {
      rig.known.proven(KEPT);
      rig.under.runTo(hour * HOUR);
    }
    expect(rig.files.writes).toHaveLength(11);
    expect(Number(rig.files.writes.at(-1))).toBe(NOW + ms(10 * DAY + MINUTE));
  });

  it('is not written anew by a boot on the day that it was written', () => {
    const rig = trusted({ wall: NOW + ms(HOUR), kept: `${NOW}\n` });
    rig.heard(NOW + ms(HOUR));
    rig.under.run(DAY - SECOND);
    expect(rig.files.writes).toEqual([]);
  });

  it('is written by an orderly stop, where it is an hour later than what is there, and after that never', () => {
    const stopAfter = (time: number) => {
      const rig = trusted({ kept: `${NOW}\n` });
      let stopped = 0;
      rig.heard(NOW);
      rig.under.run(time);
      rig.known.stop(() => stopped++);
      rig.under.run(0);
      expect([stopped, rig.kernel.pendingTimers()]).toEqual([1, []]);
      return rig.files.writes;
    };
    expect(stopAfter(HOUR - SECOND)).toEqual([]);
    expect(stopAfter(HOUR)).toEqual([String(NOW + ms(HOUR))]);
  });

  it('that cannot be written is reported, and tried again after a day', () => {
    const rig = trusted();
    rig.files.broken = true;
    rig.heard(NOW);
    rig.under.run(MINUTE);
    expect(rig.events.at(-1)).toMatchObject({ event: 'flash.failed', detail: 'state/clock: worn out' });
    rig.files.broken = false;
    rig.under.run(DAY);
    expect(rig.files.writes).toEqual([String(NOW + ms(DAY + MINUTE))]);
  });

  it('is the floor of the next boot', () => {
    const rig = trusted();
    rig.heard(NOW);
    rig.under.run(MINUTE);
    const kept = new TextDecoder().decode(rig.files.content.get('state/clock'));
    expect(boot({ kept }).clock.wall()).toEqual({ at: NOW + ms(MINUTE), trust: 'none' });
  });
});
