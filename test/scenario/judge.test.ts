import { describe, expect, it } from 'vitest';
import { soundReport, toneShare } from '../../sim/artefacts/sound.js';
import type { TimelineEvent } from '../../sim/artefacts/timeline.js';
import { judge, type Verdict } from '../../sim/scenario/judge.js';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';

const RATE = 16_000;
const MAC = '0022EE0A0001';

function scenario(expectation: string) {
  const yaml = `
belfry: 1
name: test
start: 2026-01-01T00:00:00Z
end: 60s
servers: {}
devices: { lobby: { board: 8180-g2, mac: "${MAC}" } }
steps: []
expect: [ ${expectation} ]`;
  const result = decodeScenario(yaml);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

const event = (t: number, name: string, fields = {}, device = MAC): TimelineEvent => ({
  t: t * 1e6,
  at: t * 1e6,
  device,
  event: name,
  fields,
});

function verdict(expectation: string, events: readonly TimelineEvent[], samples?: Int16Array): Verdict {
  const speakers = new Map(samples ? [['lobby', { samples, rate: RATE }]] : []);
  return judge(scenario(expectation), { events, speakers })[0]!;
}

/** Seconds of a tone, with a stretch of silence where `silent` says so. */
function tone(hertz: number, seconds: number, silent: (second: number) => boolean = () => false): Int16Array {
  return Int16Array.from({ length: seconds * RATE }, (_, i) =>
    silent(i / RATE) ? 0 : Math.round(12_000 * Math.sin((2 * Math.PI * hertz * i) / RATE)),
  );
}

describe('an event', () => {
  const established = (srtp: string) => event(12, 'call.established', { call: 'x', srtp });

  it('is found with its fields, within its time', () => {
    expect(verdict('{ event: call.established, srtp: none, within: 20s }', [established('none')])).toEqual({
      ok: true,
      expected: 'call.established srtp none within 20 s',
      seen: 'at 12 s',
      t: 12e6,
    });
  });
  it('that never happened has failed', () => {
    expect(verdict('{ event: call.established }', [])).toMatchObject({ ok: false, seen: 'it never happened' });
  });
  it('with another field has failed, and says what it was', () => {
    expect(verdict('{ event: call.established, srtp: X }', [established('none')])).toMatchObject({
      ok: false,
      seen: 'call.established with srtp none at 12 s',
    });
  });
  it('that came too late has failed', () => {
    expect(verdict('{ event: call.established, within: 11s }', [established('none')])).toMatchObject({
      ok: false,
      seen: 'too late: at 12 s',
    });
  });
  it('of someone else does not count', () => {
    expect(verdict('{ event: link.up }', [event(1, 'link.up', {}, 'sip')])).toMatchObject({ ok: false });
  });
  it('is measured from the n-th event that it follows', () => {
    const events = [event(1, 'link.up'), event(3, 'registration.registered'), event(20, 'link.up'), event(40, 'registration.registered')];
    const expectation = '{ event: registration.registered, after: { event: link.up, nth: 2 }, within: 35s }';
    expect(verdict(expectation, events)).toMatchObject({ ok: true, seen: 'at 40 s, 20 s after link.up' });
    expect(verdict(expectation, events.slice(0, 2))).toMatchObject({ ok: false, seen: 'link.up never happened 2 times' });
  });
  it('that must not happen fails when it does', () => {
    expect(verdict('{ not: boot.ready, reason: reboot }', [event(5, 'boot.ready', { reason: 'power' })])).toMatchObject({ ok: true });
    expect(verdict('{ not: boot.ready, reason: reboot }', [event(5, 'boot.ready', { reason: 'reboot' })])).toMatchObject({
      ok: false,
      seen: 'it happened at 5 s',
    });
  });
});

describe('a group', () => {
  const MACS = ['0022EE0A0001', '0022EE0A0002', '0022EE0A0003', '0022EE0A0004'];
  const group = (expectation: string, events: readonly TimelineEvent[]): Verdict => {
    const yaml = `
belfry: 1
name: test
start: 2026-01-01T00:00:00Z
end: 1h
servers: { provisioning: { host: p } }
devices: { unit: { count: 4, board: 8180-g2, mac: "${MACS[0]}" } }
steps: []
expect: [ ${expectation} ]`;
    const result = decodeScenario(yaml);
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    return judge(result.value, { events, speakers: new Map() })[0]!;
  };
  const on = (name: string, ...times: (number | undefined)[]): TimelineEvent[] =>
    times.flatMap((t, i) => (t === undefined ? [] : [event(t, name, {}, MACS[i])])).sort((a, b) => a.t - b.t);

  it('is expected of each', () => {
    const expectation = '{ event: link.up, device: unit, within: 10s }';
    expect(group(expectation, on('link.up', 1, 2, 4, 3))).toEqual({
      ok: true,
      expected: 'unit: link.up within 10 s',
      seen: '4 of 4, from 1 s to 4 s',
      t: 4e6,
    });
    expect(group(expectation, on('link.up', 1, 2, undefined, 11))).toMatchObject({
      ok: false,
      seen: '2 of 4, from 1 s to 2 s; unit-3: it never happened; unit-4: too late: at 11 s',
    });
  });
  it('is expected of a share', () => {
    const expectation = '{ event: link.up, device: unit, share: 75% }';
    expect(group(expectation, on('link.up', 1, 2, 3)).ok).toBe(true);
    expect(group(expectation, on('link.up', 1, 2)).ok).toBe(false);
  });
  it('is measured each from its own event', () => {
    const events = [...on('link.up', 10, 20, 30, 40), ...on('boot.ready', 9, 25, 31, 41)].sort((a, b) => a.t - b.t);
    expect(group('{ event: boot.ready, device: unit, after: link.up, within: 2s }', events)).toMatchObject({
      ok: false,
      seen: '2 of 4, from 31 s to 41 s; unit-1: it never happened; unit-2: too late: at 25 s, 5 s after link.up',
    });
  });
  it('does not do what none may', () => {
    const events = on('link.up', 1, 2, 3, 50);
    expect(group('{ not: link.up, device: unit, since: 4s }', events)).toMatchObject({ ok: false, seen: 'it happened at 50 s' });
    expect(group('{ not: link.up, device: unit, since: 4s, until: 50s }', events).ok).toBe(true);
  });
  it('what was before since does not count', () => {
    expect(group('{ event: link.up, device: unit, since: 4s, within: 2s }', on('link.up', 5, 6, 3, 5)).seen).toBe(
      '3 of 4, from 5 s to 6 s; unit-3: it never happened',
    );
  });

  const requests = (...times: number[]) => times.map((t) => event(t, 'server.request', { status: 200 }, 'provisioning'));
  const rate = '{ rate: server.request, server: provisioning, most: 2, per: 1s }';
  it('a rate holds for every stretch of that length, wherever it begins', () => {
    expect(group(rate, requests(0, 0.9, 1, 1.95, 2.1))).toMatchObject({ ok: true, seen: 'at most 2 times, at 0 µs; 5 in all' });
    expect(group(rate, requests(0, 0.6, 1.1, 1.59))).toMatchObject({ ok: false, seen: 'at most 3 times, at 600 ms; 4 in all', t: 0.6e6 });
    expect(group(rate, [])).toMatchObject({ ok: true, seen: 'it never happened' });
  });
  it('a rate counts only events like it', () => {
    expect(group('{ rate: server.request, server: provisioning, status: 404, most: 0, per: 1s }', requests(1, 2)).ok).toBe(true);
    expect(group('{ rate: server.request, server: provisioning, status: 200, most: 0, per: 1s }', requests(1, 2)).ok).toBe(false);
  });
});

describe('what is heard', () => {
  const expectation = '{ heard: 1000Hz, device: lobby, for: 4800ms, silent: 8% }';

  it('is the tone, long enough, almost alone and almost without gaps', () => {
    expect(verdict(expectation, [], tone(1000, 5)).ok).toBe(true);
    expect(
      verdict(
        expectation,
        [],
        tone(1000, 5, (s) => s > 2 && s < 2.3),
      ).ok,
    ).toBe(true);
  });
  it.each([
    ['another tone', tone(1200, 5)],
    ['too short', tone(1000, 4)],
    ['gaps', tone(1000, 5, (s) => s > 2 && s < 2.6)],
    ['silence', new Int16Array(5 * RATE)],
  ])('is not %s', (_, samples) => {
    expect(verdict(expectation, [], samples).ok).toBe(false);
  });
  it('says what it was', () => {
    expect(verdict(expectation, [], tone(1000, 4)).seen).toBe('4.00 s of sound, 100 % of its energy at 1000 Hz, 0 % silent');
    expect(verdict(expectation, []).seen).toBe('the loudspeaker was silent');
  });
});

describe('sound', () => {
  it('is measured from its first to its last sounding frame', () => {
    const samples = tone(1000, 4, (s) => s < 1 || s >= 3);
    expect(soundReport({ samples, rate: RATE })).toMatchObject({ begins: 1, seconds: 2, silent: 0 });
  });
  it('of noise has next to nothing at one frequency', () => {
    let state = 1;
    const noise = Int16Array.from({ length: 2 * RATE }, () => {
      state = (state * 48_271) % 0x7fffffff;
      return (state % 24_000) - 12_000;
    });
    expect(toneShare({ samples: noise, rate: RATE }, 1000)).toBeLessThan(0.01);
    expect(toneShare({ samples: tone(1000, 2), rate: RATE }, 1000)).toBeGreaterThan(0.999);
  });
});
