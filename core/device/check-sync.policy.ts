/** What a check-sync asks of the device: the modes of `sip.interop.checksync`, unless the NOTIFY itself says what is to follow. */
import type { CheckSync } from '../sip/check-sync.policy.js';

export type CheckSyncPlan =
  /** The settings are asked for when the device starts anew. */
  | 'reboot'
  /** A reboot takes the place of the restart of what runs. */
  | 'sync, reboot on change'
  | 'sync';

export function checkSyncPlan({ reboot }: CheckSync, mode: 'conditional-reboot' | 'always-reboot'): CheckSyncPlan {
  if (reboot !== undefined) return reboot ? 'reboot' : 'sync';
  return mode === 'always-reboot' ? 'reboot' : 'sync, reboot on change';
}
