/** What no scenario has to ask for: every step was taken, the power cut came and left a whole configuration, no machine failed. */
import type { TimelineEvent } from '../artefacts/timeline.js';
import type { Verdict } from './judge.js';

export function machineVerdicts(events: readonly TimelineEvent[]): Verdict[] {
  return events
    .filter(({ event }) => event === 'machine.failed')
    .map(({ t, fields }) => ({ ok: false, expected: 'no machine fails', seen: `${fields['machine']}: ${fields['detail']}`, t }));
}

export const stepVerdicts = (notReached: readonly string[]): Verdict[] =>
  notReached.map((expected) => ({ ok: false, expected, seen: 'its time never came' }));

/** `operations` is how many flash operations the device has done in all. */
export function powerCutVerdict(cutPower: number, events: readonly TimelineEvent[], operations: number): Verdict {
  const cut = events.find(({ event }) => event === 'power.cut');
  if (!cut) return { ok: false, expected: `a power cut at flash operation ${cutPower}`, seen: `there were only ${operations}` };
  const { configuration } = cut.fields;
  const booted = events.find(({ event, device, t }) => event === 'boot.ready' && device === cut.device && t > cut.t);
  return {
    ok: configuration !== 'broken' && booted !== undefined,
    expected: `after the power cut at flash operation ${cutPower} the board boots with its configuration whole`,
    seen: booted ? `it booted with the ${configuration} configuration` : 'it did not boot',
    t: booted?.t ?? cut.t,
  };
}
