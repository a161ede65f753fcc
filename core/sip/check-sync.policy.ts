/**
 * The NOTIFY that asks a device to look for other settings. No RFC has the event; servers send it outside of any subscription, as
 * `Event: check-sync`, and some say with `;reboot=true` or `;reboot=false` what is to follow.
 */
import type { ResponseParts } from './compose.js';
import type { SipRequest } from './message.codec.js';
import { param, readParams } from './text.js';

export interface CheckSync {
  /** Undefined where the server leaves it to the device. */
  reboot?: boolean;
}

const PACKAGE = 'check-sync';

/** To a NOTIFY of anything else: it is of no subscription of ours (RFC 6665 8.3.2). */
export const BAD_EVENT: ResponseParts = { status: 489, headers: [['allow-events', PACKAGE]] };

/** Undefined where the NOTIFY is about something else. */
export function checkSyncOf({ headers }: SipRequest): CheckSync | undefined {
  const text = headers.get('event') ?? '';
  const end = text.indexOf(';');
  const name = (end < 0 ? text : text.slice(0, end)).trim();
  const params = end < 0 ? [] : readParams(text, end);
  if (name.toLowerCase() !== PACKAGE || !params) return undefined;
  const reboot = param(params, 'reboot')?.toLowerCase();
  return reboot === 'true' || reboot === 'false' ? { reboot: reboot === 'true' } : {};
}
