import { describe, expect, it } from 'vitest';
import { decodeScenario } from '../../sim/scenario/scenario.codec.js';
import { type DueStep, Steps } from '../../sim/scenario/steps.js';

function stepsOf(steps: string, taken: DueStep[] = []): Steps {
  const yaml = `
belfry: 1
name: test
start: 2026-01-01T00:00:00Z
end: 60s
servers: { sip: { domain: s, transport: udp, users: {} } }
callers: { desk: { srtp: none, sends: { tone: 1000Hz } } }
devices: { unit: { count: 3, board: 8180-g2, mac: "0022EE0A0001" }, gate: { board: "8301", mac: "0022EE0B0001" } }
steps: [ ${steps} ]
expect: []`;
  const result = decodeScenario(yaml);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return new Steps(result.value, (due) => taken.push(due));
}
const linkUp = { t: 0, at: 0, device: '', event: 'link.up', fields: {} };
const whom = (taken: readonly DueStep[]): (string | undefined)[] => taken.map(({ unit }) => unit);

describe('steps', () => {
  it('at a time are taken for each of a group, evenly within the time that they have', () => {
    const { timed } = stepsOf('{ at: 10s, power: on, device: unit, over: 6s }, { at: 1s, server: sip, stop: { for: 1s } }');
    expect(timed.map(({ unit, at }) => [unit, at])).toEqual([
      ['unit-1', 10e6],
      ['unit-2', 12e6],
      ['unit-3', 14e6],
      [undefined, 1e6],
    ]);
  });

  it('after an event are taken once for each device that has it', () => {
    const taken: DueStep[] = [];
    const steps = stepsOf(
      '{ after: link.up, device: unit, reset: factory }, { after: { event: link.up, nth: 2 }, device: gate, power: off }',
      taken,
    );
    for (const device of ['unit-2', 'gate', 'unit-2', 'gate', 'gate']) steps.happened(device, linkUp);
    expect(whom(taken)).toEqual(['unit-2', 'gate']);
    expect(steps.notReached).toEqual(['factory reset, after link.up of unit-1', 'factory reset, after link.up of unit-3']);
  });

  it('after a message are taken when it has left', () => {
    const taken: DueStep[] = [];
    const steps = stepsOf('{ sent: REGISTER, nth: 2, device: gate, page: { from: desk, for: 5s } }', taken);
    expect(steps.notReached).toEqual(['page from desk for 5 s, after REGISTER left no. 2']);
    for (const method of ['REGISTER', 'INVITE', 'REGISTER']) steps.sent('gate', method);
    expect(whom(taken)).toEqual(['gate']);
    expect(steps.notReached).toEqual([]);
  });

  it('are taken again in the life after a power cut; one that does not come again has been reached all the same', () => {
    const taken: DueStep[] = [];
    const steps = stepsOf('{ after: link.up, device: gate, power: off }', taken);
    steps.happened('gate', linkUp);
    steps.again('gate');
    expect(steps.notReached).toEqual([]);
    steps.happened('gate', linkUp);
    expect(whom(taken)).toEqual(['gate', 'gate']);
  });
});
