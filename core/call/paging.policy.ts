/** Who is answered. A loudspeaker serves one page at a time. */

export type Admission = { answer: true } | { answer: false; status: number; reason: string };

/** One call at a time, as the vendor's first generation documents; priorities and pre-emption are not modelled. */
const CALLS_AT_ONCE = 1;

export const admit = (activeCalls: number): Admission =>
  activeCalls < CALLS_AT_ONCE ? { answer: true } : { answer: false, status: 486, reason: 'another page is playing' };
