import { describe, expect, it } from 'vitest';
import { expiryStage } from '../../core/certs/expiry.policy.js';
import { ExpiryWatch } from '../../core/certs/expiry-watch.js';
import type { Expiry } from '../../core/certs/store.js';
import { createKernel } from '../../core/kernel/kernel.js';
import { DAY } from '../../hal/base/time.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { date } from './support.js';

const END = date('2026-07-31');
const day = (text: string): number => date(text);

it.each<[string, ReturnType<typeof expiryStage>]>([
  ['2026-05-01', undefined],
  ['2026-06-01', 60],
  ['2026-06-30', 60],
  ['2026-07-01', 30],
  ['2026-07-17', 14],
  ['2026-07-24', 7],
  ['2026-07-28', 3],
  ['2026-07-30', 1],
  ['2026-07-31', 1],
  ['2026-08-01', 'ended'],
])('on %s: %s', (at, stage) => expect(expiryStage(END, day(at))).toBe(stage));

it('the last second counts', () => {
  expect(expiryStage(END, END + 999)).toBe(1);
  expect(expiryStage(END, END + 1000)).toBe('ended');
});

describe('the watch', () => {
  const factory: Expiry = { file: 'factory', subject: 'CN=0022EE0A0001', notAfter: END };
  function watch(clock: VirtualClock, expiries: Expiry[] = [factory]) {
    const said: string[] = [];
    const kernel = createKernel(clock, (event) => {
      if (event.event === 'certs.expiring') said.push(`${event.file} ${event.subject} ${event.notAfter} in ${event.days}`);
      if (event.event === 'certs.expired') said.push(`${event.file} ${event.subject} ${event.notAfter} expired`);
    });
    const expiry = new ExpiryWatch(kernel, { expiries: () => expiries });
    return { said, look: () => kernel.turn(clock.now(), () => expiry.look()), stop: () => expiry.stop() };
  }
  const ABOUT = 'factory CN=0022EE0A0001 2026-07-31T00:00:00.000Z';

  it('looks once a day, and says each thing once', () => {
    const clock = new VirtualClock(date('2026-05-30'));
    const { said, look, stop } = watch(clock);
    look();
    clock.run(61 * DAY);
    expect(said).toEqual([60, 30, 14, 7, 3, 1].map((days) => `${ABOUT} in ${days}`));
    clock.run(5 * DAY);
    expect(said.slice(6)).toEqual([`${ABOUT} expired`]);
    stop();
    expect(clock.alarm).toBeUndefined();
  });

  it('says at boot what is left', () => {
    const { said, look } = watch(new VirtualClock(date('2026-07-10')));
    look();
    look();
    expect(said).toEqual([`${ABOUT} in 21`]);
  });

  it('knows by a clock that nobody has set only what has ended already', () => {
    const clock = new VirtualClock(date('2026-07-10'), 'none');
    const gone = { file: 'certs/httpd.pem', subject: 'CN=horn', notAfter: date('2026-01-01') };
    const { said, look } = watch(clock, [factory, gone]);
    look();
    expect(said).toEqual(['certs/httpd.pem CN=horn 2026-01-01T00:00:00.000Z expired']);
    clock.setWall(date('2057-01-01'));
    look();
    expect(said.slice(1)).toEqual([`${ABOUT} expired`]);
  });

  it('begins anew with a certificate that took the place of another', () => {
    const clock = new VirtualClock(date('2026-07-10'));
    const all = [factory];
    const { said, look } = watch(clock, all);
    look();
    all[0] = { ...factory, notAfter: date('2026-07-20') };
    look();
    expect(said).toEqual([`${ABOUT} in 21`, 'factory CN=0022EE0A0001 2026-07-20T00:00:00.000Z in 10']);
  });
});
