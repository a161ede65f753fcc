/** Timers of RFC 3261 17.1.1.1 and table 4, in µs. */
import { MILLISECOND, SECOND } from '../../hal/base/time.js';
import type { Micros } from '../../hal/hal.js';

/** Estimate of the round trip. */
export const T1: Micros = 500 * MILLISECOND;
/** Longest interval between retransmissions of a non-INVITE request and of an INVITE response. */
export const T2: Micros = 4 * SECOND;
/** Longest that a message stays in the network. */
export const T4: Micros = 5 * SECOND;
/** Timers B, F, H, J, L, M: how long a transaction tries or waits. */
export const TRANSACTION_LIFE: Micros = 64 * T1;
/** Timer D over UDP: at least 32 s. */
export const TIMER_D: Micros = 32 * SECOND;
/** A request that the user has not answered by then gets a 100 (17.2.1). */
export const TRYING_AFTER: Micros = 200 * MILLISECOND;
