/** When the steps of a scenario are taken. A step is taken once, after the turn in which its time came. */
import type { TimelineEvent } from '../artefacts/timeline.js';
import { matches } from './judge.js';
import type { Action, Step, When } from './scenario.js';
import { durationText } from './units.js';

interface Waiting {
  step: Step;
  /** Times that what it waits for has happened. */
  seen: number;
}

export class Steps {
  readonly #waiting: Waiting[];
  readonly #take: (step: Step) => void;

  constructor(steps: readonly Step[], take: (step: Step) => void) {
    this.#waiting = steps.filter(({ when }) => when.type !== 'at').map((step) => ({ step, seen: 0 }));
    this.#take = take;
  }

  happened(device: string, event: TimelineEvent): void {
    this.#count(device, (when) => when.type === 'after' && matches(when, event));
  }

  /** A device has sent a SIP request. */
  sent(device: string, method: string): void {
    this.#count(device, (when) => when.type === 'sent' && when.method === method);
  }

  /** Steps whose time never came, in words. */
  get notReached(): readonly string[] {
    return this.#waiting.map(({ step }) => `${actionText(step.action)}, ${whenText(step.when)}`);
  }

  #count(device: string, is: (when: When) => boolean): void {
    for (const waiting of [...this.#waiting]) {
      const { step } = waiting;
      if (step.device !== device || !is(step.when)) continue;
      waiting.seen++;
      if (step.when.type === 'at' || waiting.seen < step.when.nth) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.#take(step);
    }
  }
}

function actionText(action: Action): string {
  if (action.type === 'power') return `power ${action.on ? 'on' : 'off'}`;
  if (action.type === 'page') return `page from ${action.from} for ${durationText(action.for)}`;
  return `cut of the link of ${action.link} for ${durationText(action.for)}`;
}

function whenText(when: When): string {
  if (when.type === 'at') return `at ${durationText(when.at)}`;
  const what = when.type === 'sent' ? `${when.method} left` : when.event;
  return `after ${what}${when.nth > 1 ? ` no. ${when.nth}` : ''}`;
}
