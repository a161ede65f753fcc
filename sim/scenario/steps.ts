/** When the steps of a scenario are taken. A step is taken once, for a group once a device, after the turn in which its time came. */
import type { Micros } from '../../hal/hal.js';
import type { TimelineEvent } from '../artefacts/timeline.js';
import { matches } from './judge.js';
import { type Action, type Scenario, type Step, unitsOf, type When } from './scenario.js';
import { durationText } from './units.js';

/** A step for one device; `unit` is absent where only a server is concerned. */
export interface DueStep {
  step: Step;
  unit?: string;
}

interface Waiting extends DueStep {
  unit: string;
  /** Times that what it waits for has happened, since the device began anew. */
  seen: number;
  taken: boolean;
}

export class Steps {
  /** Steps at a time, with that time. */
  readonly timed: readonly (DueStep & { at: Micros })[];
  /** Steps that wait for something, by device. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #take: (due: DueStep) => void;

  constructor(scenario: Pick<Scenario, 'steps' | 'groups'>, take: (due: DueStep) => void) {
    const due = scenario.steps.flatMap((step) => perUnit(scenario, step));
    this.timed = due.flatMap(({ delay, ...one }) => (one.step.when.type === 'at' ? [{ ...one, at: one.step.when.at + delay }] : []));
    for (const { step, unit } of due) {
      if (step.when.type === 'at' || unit === undefined) continue;
      const others = this.#waiting.get(unit) ?? [];
      this.#waiting.set(unit, [...others, { step, unit, seen: 0, taken: false }]);
    }
    this.#take = take;
  }

  happened(device: string, event: TimelineEvent): void {
    this.#count(device, (when) => when.type === 'after' && matches(when, event));
  }

  /** A device has sent a SIP request. */
  sent(device: string, method: string): void {
    this.#count(device, (when) => when.type === 'sent' && when.method === method);
  }

  /** The device begins anew after a power cut: what was done after events of its former life is done again after those of the next. */
  again(device: string): void {
    for (const waiting of this.#waiting.get(device) ?? []) waiting.seen = 0;
  }

  /** Steps whose time never came, in words. */
  get notReached(): readonly string[] {
    return [...this.#waiting.values()]
      .flat()
      .filter(({ taken }) => !taken)
      .map(({ step, unit }) => `${actionText(step.action)}, ${whenText(step.when)}${step.device === unit ? '' : ` of ${unit}`}`);
  }

  #count(device: string, is: (when: When) => boolean): void {
    for (const waiting of this.#waiting.get(device) ?? []) {
      const { when } = waiting.step;
      if (when.type === 'at' || !is(when) || ++waiting.seen !== when.nth) continue;
      waiting.taken = true;
      this.#take(waiting);
    }
  }
}

/** The devices of a group one after another, evenly within the time that the step gives them. */
function perUnit(scenario: Pick<Scenario, 'groups'>, step: Step): (DueStep & { delay: Micros })[] {
  if (step.device === undefined) return [{ step, delay: 0 }];
  const units = unitsOf(scenario, step.device);
  return units.map((unit, i) => ({ step, unit, delay: Math.round((step.over * i) / units.length) }));
}

function actionText(action: Action): string {
  switch (action.type) {
    case 'power':
      return `power ${action.on ? 'on' : 'off'}`;
    case 'page':
      return `page from ${action.from} for ${durationText(action.for)}`;
    case 'cut':
      return `cut of the link of ${action.link} for ${durationText(action.for)}`;
    case 'put':
      return `${[...action.files.keys()].join(', ')} put on it`;
    case 'factory-reset':
      return 'factory reset';
    case 'check-sync':
      return 'NOTIFY check-sync';
    case 'stop':
      return `stop for ${durationText(action.for)}`;
    case 'certificate':
      return `certificate ${action.certificate}`;
    case 'serves':
      return `other settings for ${[...action.files.keys()].join(', ')}`;
  }
}

function whenText(when: When): string {
  if (when.type === 'at') return `at ${durationText(when.at)}`;
  const what = when.type === 'sent' ? `${when.method} left` : when.event;
  return `after ${what}${when.nth > 1 ? ` no. ${when.nth}` : ''}`;
}
