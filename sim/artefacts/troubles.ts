/** What was refused, each thing once: retries repeat themselves, and so do the devices of a fleet. */
import type { TimelineEvent } from './timeline.js';

const TROUBLES: readonly string[] = [
  'settings.refused',
  'tls.refused',
  'provisioning.failed',
  'provisioning.rolled-back',
  'registration.refused',
  'certs.refused',
  'call.rejected',
];

export interface Trouble {
  /** When it was first. */
  first: TimelineEvent;
  /** How often, on all devices together. */
  times: number;
  devices: number;
}

export function distinctTroubles(events: readonly TimelineEvent[]): Trouble[] {
  const found = new Map<string, Trouble & { macs: Set<string> }>();
  for (const event of events) {
    if (!TROUBLES.includes(event.event)) continue;
    const key = JSON.stringify([event.event, kindOf(event)]);
    const trouble = found.get(key) ?? { first: event, times: 0, devices: 0, macs: new Set() };
    found.set(key, trouble);
    trouble.times++;
    trouble.devices = trouble.macs.add(event.device).size;
  }
  return [...found.values()].map(({ macs: _macs, ...trouble }) => trouble);
}

/** What is the same each time: with a clock, everything but it and the words that may name it. */
function kindOf({ fields }: TimelineEvent): object {
  const { clock, detail, ...same } = fields;
  return clock === undefined ? { ...same, detail } : same;
}

/** ` (12 times on 4 devices)`; nothing for what was once. */
export const repeated = ({ times, devices }: Trouble): string =>
  times === 1 ? '' : ` (${times} times${devices === 1 ? '' : ` on ${devices} devices`})`;
